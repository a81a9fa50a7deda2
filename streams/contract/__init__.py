"""What senders and readers may rely on, as documents that are made from the models: AsyncAPI and JSON Schemas."""
