-- Who uses the store at once, what each has of every cap, and which models each found not to answer.

CREATE SEQUENCE {schema}.arrival;

CREATE TABLE {schema}.holder (
    name text COLLATE "C" PRIMARY KEY,
    arrival bigint NOT NULL,
    alive_until timestamptz NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE {schema}.lease (
    budget text NOT NULL,
    period text NOT NULL,
    holder text NOT NULL,
    writer uuid NOT NULL,
    usd float8 NOT NULL,
    until timestamptz NOT NULL,
    PRIMARY KEY (budget, period, holder)
) WITH (fillfactor = 50);

CREATE TABLE {schema}.circuit (
    model text NOT NULL,
    holder text NOT NULL,
    until timestamptz NOT NULL,
    why text NOT NULL,
    PRIMARY KEY (model, holder)
);

CREATE TYPE {schema}.report AS (
    holder text, alive_s float8, lease_s float8, known bigint, leaving boolean,
    budgets text[], periods text[], caps_usd float8[], held_usd float8[], wanted_usd float8[],
    models text[], open_for_s float8[], whys text[]
);

-- Takes back what time has run out for. What a process that is gone has written and nobody has added up keeps its leases:
-- until then its dollars are not among those that are spent.
CREATE FUNCTION {schema}.take_back(now timestamptz) RETURNS void LANGUAGE sql AS $$
    DELETE FROM {schema}.holder WHERE alive_until <= now;
    DELETE FROM {schema}.circuit WHERE until <= now;
    DELETE FROM {schema}.lease l
    WHERE until <= now AND NOT EXISTS (SELECT FROM {schema}.unfolded u WHERE u.writer = l.writer);
$$;

-- Grants what is asked of each window, as `banditroute.storage.sharing.granted_usd` has it, in the place of what was
-- granted before.
CREATE FUNCTION {schema}.lease_out(by_writer uuid, r {schema}.report, lease_until timestamptz)
RETURNS TABLE (granted_usd float8, all_spent_usd float8) LANGUAGE plpgsql AS $$
DECLARE
    ask record;
    others_usd float8;
BEGIN
    DELETE FROM {schema}.lease l WHERE l.holder = r.holder;
    FOR ask IN
        SELECT * FROM unnest(r.budgets, r.periods, r.caps_usd, r.held_usd, r.wanted_usd)
            WITH ORDINALITY a (budget, period, cap_usd, held_usd, wanted_usd, ord) ORDER BY ord
    LOOP
        all_spent_usd := coalesce((
            SELECT s.usd FROM {schema}.spent s
            WHERE s.budget = ask.budget AND s.period = ask.period AND NOT s.retired
        ), 0);
        others_usd := coalesce((
            SELECT sum(l.usd) FROM {schema}.lease l WHERE l.budget = ask.budget AND l.period = ask.period
        ), 0);
        granted_usd := 0;
        IF NOT r.leaving THEN
            granted_usd := greatest(ask.held_usd, least(ask.wanted_usd,
                ask.held_usd + greatest(ask.cap_usd - all_spent_usd - others_usd - ask.held_usd, 0) / 2));
            INSERT INTO {schema}.lease (budget, period, holder, writer, usd, until)
            VALUES (ask.budget, ask.period, r.holder, by_writer, granted_usd, lease_until);
        END IF;
        RETURN NEXT;
    END LOOP;
END $$;

-- Tells who is here, and which models others find not to answer.
CREATE FUNCTION {schema}.enter(r {schema}.report, now timestamptz) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM {schema}.circuit WHERE holder = r.holder;
    IF r.leaving THEN
        DELETE FROM {schema}.holder WHERE name = r.holder;
        RETURN;
    END IF;
    INSERT INTO {schema}.holder AS known (name, arrival, alive_until)
    VALUES (r.holder, nextval('{schema}.arrival'), now + make_interval(secs => r.alive_s))
    ON CONFLICT (name) DO UPDATE SET alive_until = excluded.alive_until;
    INSERT INTO {schema}.circuit (model, holder, until, why)
    SELECT DISTINCT ON (c.model) c.model, r.holder, now + make_interval(secs => c.for_s), c.why
    FROM unnest(r.models, r.open_for_s, r.whys) c (model, for_s, why) ORDER BY c.model, c.for_s DESC;
END $$;

-- Takes in a report, after all that its process has written was added up, and tells the news at one instant.
CREATE FUNCTION {schema}.exchange(
    by_writer uuid, s {schema}.sums, r {schema}.report,
    OUT version bigint, OUT grants_usd float8[], OUT spent_usd float8[], OUT others text[], OUT on_duty boolean,
    OUT open_models text[], OUT open_for_s float8[], OUT open_whys text[],
    OUT paid_budgets text[], OUT paid_requests bigint[], OUT paid_usd float8[],
    OUT changed {schema}.edges, OUT orphans bigint[]
) LANGUAGE plpgsql AS $$
DECLARE
    now timestamptz;
BEGIN
    PERFORM {schema}.put(s, false);
    now := clock_timestamp();
    PERFORM {schema}.take_back(now), {schema}.enter(r, now);
    SELECT array_agg(g.granted_usd), array_agg(g.all_spent_usd) INTO grants_usd, spent_usd
    FROM {schema}.lease_out(by_writer, r, now + make_interval(secs => r.lease_s)) g;
    SELECT array_agg(h.name ORDER BY h.name) FILTER (WHERE h.name <> r.holder),
        coalesce((array_agg(h.name ORDER BY h.arrival))[1] = r.holder, false)
    INTO others, on_duty FROM {schema}.holder h;
    SELECT array_agg(c.model ORDER BY c.model), array_agg(extract(epoch FROM c.until - now)::float8 ORDER BY c.model),
        array_agg(c.why ORDER BY c.model)
    INTO open_models, open_for_s, open_whys FROM (
        SELECT DISTINCT ON (c.model) c.* FROM {schema}.circuit c WHERE c.holder <> r.holder
        ORDER BY c.model, c.until DESC
    ) c;
    SELECT array_agg(p.budget), array_agg(p.requests), array_agg(p.usd)
    INTO paid_budgets, paid_requests, paid_usd FROM {schema}.paid p WHERE NOT p.retired;
    SELECT CASE WHEN v.is_called THEN v.last_value ELSE 0 END INTO version FROM {schema}.version v;
    -- A version to come was heard of before a backup was put in the place of the database. What was cleared is told as
    -- having seen nothing, to those who heard of it.
    changed := (
        SELECT ROW(array_agg(e.task), array_agg(e.model), array_agg(e.signal), array_agg(e.encoder_version),
            array_agg(e.width), array_agg(e.sums))::{schema}.edges
        FROM {schema}.evidence e
        WHERE NOT e.retired AND e.version > CASE WHEN r.known <= exchange.version THEN r.known ELSE 0 END
            AND (e.sums IS NOT NULL OR r.known > 0)
    );
    SELECT array_agg(u.id) INTO orphans FROM {schema}.unfolded u
    WHERE u.writer <> by_writer AND u.written_at < now - interval '5 s';
END $$;
