-- One node's samples, out of those of all nodes. Without the time the index has one entry for many rows, so that it
-- stays small and cheap to write to; chunks are short, so that what it finds in one is near the time that is asked for.

create index node_samples_by_node on node_samples (site, node);
