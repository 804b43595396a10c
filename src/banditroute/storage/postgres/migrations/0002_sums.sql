-- What the log amounts to, and (retired) what rows that are gone have added to it.

CREATE SEQUENCE {schema}.version;

CREATE TABLE {schema}.evidence (
    retired boolean NOT NULL,
    task text NOT NULL,
    model text NOT NULL,
    signal text NOT NULL,
    encoder_version text NOT NULL,
    width int NOT NULL,
    sums bytea,
    version bigint NOT NULL,
    PRIMARY KEY (task, model, signal, encoder_version, retired)
) WITH (toast_tuple_target = 8160, fillfactor = 50);
ALTER TABLE {schema}.evidence ALTER COLUMN sums SET STORAGE EXTERNAL; -- numbers of 8 bytes do not compress

CREATE TABLE {schema}.spent (
    retired boolean NOT NULL,
    budget text NOT NULL,
    period text NOT NULL,
    usd float8 NOT NULL,
    PRIMARY KEY (budget, period, retired)
) WITH (fillfactor = 50);

CREATE TABLE {schema}.pace (
    retired boolean NOT NULL,
    budget text NOT NULL,
    number bigint NOT NULL,
    pace text NOT NULL,
    PRIMARY KEY (budget, retired)
) WITH (fillfactor = 50);

CREATE TABLE {schema}.paid (
    retired boolean NOT NULL,
    budget text NOT NULL,
    requests bigint NOT NULL,
    usd float8 NOT NULL,
    PRIMARY KEY (budget, retired)
) WITH (fillfactor = 50);

CREATE TABLE {schema}.alarm (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    alarm text NOT NULL
);

-- Adjustments that were made within the last day, so that none is made twice.
CREATE TABLE {schema}.adjustment (
    token bigint PRIMARY KEY,
    made_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE {schema}.switch (
    name text PRIMARY KEY,
    value text NOT NULL,
    at float8 NOT NULL,
    configured text NOT NULL
);

CREATE TABLE {schema}.gateway_key (
    key_id text PRIMARY KEY,
    name text NOT NULL,
    digest bytea NOT NULL,
    tenant text NOT NULL,
    models text NOT NULL,
    tasks text NOT NULL,
    requests_per_minute float8,
    admin boolean NOT NULL,
    created_at float8 NOT NULL,
    revoked_at float8
);

CREATE TYPE {schema}.edges AS (
    tasks text[], models text[], signals text[], encoder_versions text[], widths int[], sums bytea[]
);
CREATE TYPE {schema}.sums AS (
    edges {schema}.edges,
    spent_budgets text[], spent_periods text[], spent_usd float8[],
    paced_budgets text[], pace_numbers bigint[], paces text[],
    paid_budgets text[], paid_requests bigint[], paid_usd float8[]
);

-- The widths of these edges' inputs; those that nobody has seen have the given ones from now on.
CREATE FUNCTION {schema}.introduce(e {schema}.edges) RETURNS int[] LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO {schema}.evidence (retired, task, model, signal, encoder_version, width, sums, version)
    SELECT false, task, model, signal, encoder_version, width, NULL, 0
    FROM unnest(e.tasks, e.models, e.signals, e.encoder_versions, e.widths)
        n (task, model, signal, encoder_version, width)
    ORDER BY task, model, signal, encoder_version
    ON CONFLICT DO NOTHING;
    RETURN (
        SELECT array_agg(known.width ORDER BY n.ord)
        FROM unnest(e.tasks, e.models, e.signals, e.encoder_versions)
            WITH ORDINALITY n (task, model, signal, encoder_version, ord)
        JOIN {schema}.evidence known USING (task, model, signal, encoder_version) WHERE NOT known.retired
    );
END $$;

-- The sums of edges as they are, for somebody who is about to add to them; NULL = none yet.
CREATE FUNCTION {schema}.sums_of(e {schema}.edges, of_retired boolean) RETURNS bytea[] LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock({schema}.lock_of(2));
    RETURN (
        SELECT coalesce(array_agg(known.sums ORDER BY n.ord), '{}')
        FROM unnest(e.tasks, e.models, e.signals, e.encoder_versions)
            WITH ORDINALITY n (task, model, signal, encoder_version, ord)
        LEFT JOIN {schema}.evidence known ON (known.task, known.model, known.signal, known.encoder_version, known.retired)
            = (n.task, n.model, n.signal, n.encoder_version, of_retired)
    );
END $$;

-- Takes a writer's batches to be added up, if they are all that it has; and the sums of edges as they are.
CREATE FUNCTION {schema}.take(
    of_writer uuid, batches bigint[], e {schema}.edges, OUT taken boolean, OUT known bytea[]
) LANGUAGE plpgsql AS $$
BEGIN
    known := {schema}.sums_of(e, false);
    taken := (
        SELECT coalesce(array_agg(id ORDER BY id), '{}') FROM {schema}.unfolded WHERE writer = of_writer
    ) = batches;
    IF taken THEN
        DELETE FROM {schema}.unfolded WHERE id = ANY(batches);
    END IF;
END $$;

-- Puts the sums of edges in the place of those that were read under the same lock, and adds everything else.
CREATE FUNCTION {schema}.put(s {schema}.sums, into_retired boolean) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock({schema}.lock_of(2));
    IF cardinality((s.edges).tasks) > 0 THEN
        INSERT INTO {schema}.evidence AS known
            (retired, task, model, signal, encoder_version, width, sums, version)
        SELECT into_retired, n.*, v.version
        FROM unnest((s.edges).tasks, (s.edges).models, (s.edges).signals, (s.edges).encoder_versions,
            (s.edges).widths, (s.edges).sums) n (task, model, signal, encoder_version, width, sums),
            (SELECT nextval('{schema}.version') AS version) v
        ON CONFLICT (task, model, signal, encoder_version, retired)
            DO UPDATE SET sums = excluded.sums, width = excluded.width, version = excluded.version;
    END IF;
    INSERT INTO {schema}.spent AS known (retired, budget, period, usd)
    SELECT into_retired, n.* FROM unnest(s.spent_budgets, s.spent_periods, s.spent_usd) n
    ON CONFLICT (budget, period, retired) DO UPDATE SET usd = known.usd + excluded.usd;
    INSERT INTO {schema}.pace AS known (retired, budget, number, pace)
    SELECT into_retired, n.* FROM unnest(s.paced_budgets, s.pace_numbers, s.paces) n
    ON CONFLICT (budget, retired) DO UPDATE SET number = excluded.number, pace = excluded.pace
        WHERE excluded.number >= known.number;
    INSERT INTO {schema}.paid AS known (retired, budget, requests, usd)
    SELECT into_retired, n.* FROM unnest(s.paid_budgets, s.paid_requests, s.paid_usd) n
    ON CONFLICT (budget, retired) DO UPDATE
        SET requests = known.requests + excluded.requests, usd = known.usd + excluded.usd;
END $$;

-- Whether an adjustment is new; it is made now, in the transaction that asks.
CREATE FUNCTION {schema}.adjusting(new_token bigint) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock({schema}.lock_of(2));
    DELETE FROM {schema}.adjustment WHERE made_at < clock_timestamp() - interval '1 day';
    INSERT INTO {schema}.adjustment (token) VALUES (new_token) ON CONFLICT DO NOTHING;
    RETURN FOUND;
END $$;

-- Forgets all sums, so that others can be put in their place; nothing of the log is left to be added.
CREATE FUNCTION {schema}.clear_sums() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock({schema}.lock_of(1)), pg_advisory_xact_lock({schema}.lock_of(2));
    DELETE FROM {schema}.unfolded;
    UPDATE {schema}.evidence SET sums = NULL, version = nextval('{schema}.version') WHERE NOT retired;
    DELETE FROM {schema}.spent WHERE NOT retired;
    DELETE FROM {schema}.pace WHERE NOT retired;
    DELETE FROM {schema}.paid WHERE NOT retired;
END $$;
