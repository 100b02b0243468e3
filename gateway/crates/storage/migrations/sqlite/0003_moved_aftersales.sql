-- A platform may move an after-sale to another order: then two families have it, and the one that heard of it last is shown.
DROP INDEX entities_by_id;
CREATE INDEX entities_by_id ON entities (id, updated_at) WHERE id <> family;
