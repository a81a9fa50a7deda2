"""Metering: what management controllers and power distribution units say over Redfish."""
