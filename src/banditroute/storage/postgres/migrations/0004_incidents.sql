-- What happened to the routers on the store; the same incident twice is one row.

CREATE TABLE {schema}.incident (
    at float8 NOT NULL,
    digest bytea NOT NULL,
    incident text NOT NULL,
    PRIMARY KEY (at, digest)
);
