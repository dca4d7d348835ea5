-- json: whether requests must be signed, and the sealed secrets, the newest first; null for a key that never signed
alter table api_key add column hmac text;
