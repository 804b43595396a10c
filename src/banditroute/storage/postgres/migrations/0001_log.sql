-- The log: a row for each decision, outcome and judgement, in one partition a day of the decision.

CREATE SEQUENCE {schema}.place;

CREATE TABLE {schema}.decision (
    day date NOT NULL,
    seq bigint NOT NULL,
    decision_id text NOT NULL,
    at float8 NOT NULL,
    dispatch text NOT NULL,
    prompt bytea,
    PRIMARY KEY (seq, day),
    UNIQUE (decision_id, day)
) PARTITION BY RANGE (day);

CREATE TABLE {schema}.outcome (
    day date NOT NULL,
    decision bigint NOT NULL,
    number bigint NOT NULL,
    token bigint NOT NULL,
    ok boolean NOT NULL,
    settlement text NOT NULL,
    PRIMARY KEY (decision, day)
) PARTITION BY RANGE (day);

CREATE TABLE {schema}.feedback (
    day date NOT NULL,
    decision bigint NOT NULL,
    seq bigint NOT NULL,
    source text NOT NULL,
    token bigint NOT NULL,
    feedback text NOT NULL,
    PRIMARY KEY (decision, source, day)
) PARTITION BY RANGE (day);

-- Rows that outlive their day, because their decision had no outcome when it was dropped, and instants of before 1970.
CREATE TABLE {schema}.decision_kept PARTITION OF {schema}.decision FOR VALUES FROM (MINVALUE) TO ('1970-01-02');
CREATE TABLE {schema}.outcome_kept PARTITION OF {schema}.outcome FOR VALUES FROM (MINVALUE) TO ('1970-01-02');
CREATE TABLE {schema}.feedback_kept PARTITION OF {schema}.feedback FOR VALUES FROM (MINVALUE) TO ('1970-01-02');

-- Decisions without an outcome: few, and found without looking into every partition.
CREATE TABLE {schema}.unsettled (
    decision_id text PRIMARY KEY,
    decision bigint NOT NULL,
    day date NOT NULL
);

-- Days that are no partition any more, and whose sums are not yet among those of rows that are gone.
CREATE TABLE {schema}.detached (
    day date PRIMARY KEY
);

-- Rows that are in no sum yet: one row for what one transaction has written; a source where it is a judgement.
CREATE TABLE {schema}.unfolded (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    writer uuid NOT NULL,
    written_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    days date[] NOT NULL,
    decisions bigint[] NOT NULL,
    sources text[] NOT NULL
);

CREATE TYPE {schema}.begins AS (
    ids text[], days date[], instants float8[], dispatches text[], prompts bytea[]
);
CREATE TYPE {schema}.settles AS (ids text[], days date[], tokens bigint[], ok boolean[], settlements text[]);
CREATE TYPE {schema}.judges AS (ids text[], days date[], tokens bigint[], sources text[], feedback text[]);

-- 1: who writes the log holds it shared, who must have no writer at work alone.
-- 2: who changes sums or leases. 3: who changes tables.
-- In this order, where somebody takes several. They are let go of at the end of the transaction.
CREATE FUNCTION {schema}.lock_of(which int) RETURNS bigint LANGUAGE sql IMMUTABLE
    RETURN hashtextextended('banditroute {schema}', which);

-- Makes partitions, where there are none; returns days of which there can be none now, as they are on their way out.
CREATE FUNCTION {schema}.make_days(wanted date[]) RETURNS date[] LANGUAGE plpgsql AS $$
DECLARE
    new date;
    part text;
BEGIN
    PERFORM pg_advisory_xact_lock({schema}.lock_of(3));
    FOREACH new IN ARRAY wanted LOOP
        CONTINUE WHEN new < '1970-01-02' OR to_regclass('{schema}.decision_' || to_char(new, 'YYYYMMDD')) IS NOT NULL;
        FOREACH part IN ARRAY ARRAY['decision', 'outcome', 'feedback'] LOOP
            -- attaching keeps nobody from reading or writing, making a partition in place would
            EXECUTE format('CREATE TABLE {schema}.%I (LIKE {schema}.%I INCLUDING ALL)',
                part || '_' || to_char(new, 'YYYYMMDD'), part);
            EXECUTE format('ALTER TABLE {schema}.%I ATTACH PARTITION {schema}.%I FOR VALUES FROM (%L) TO (%L)',
                part, part || '_' || to_char(new, 'YYYYMMDD'), new, new + 1);
        END LOOP;
    END LOOP;
    RETURN (SELECT coalesce(array_agg(day), '{}') FROM {schema}.detached WHERE day = ANY(wanted));
END $$;

-- Where decisions are: first where the hints say, then anywhere; NULL where one is not on record.
CREATE FUNCTION {schema}.find(ids text[], hints date[], OUT days date[], OUT seqs bigint[]) LANGUAGE plpgsql AS $$
BEGIN
    SELECT array_agg(d.day ORDER BY asked.ord), array_agg(d.seq ORDER BY asked.ord) INTO days, seqs
    FROM unnest(ids, hints) WITH ORDINALITY asked (id, hint, ord)
    LEFT JOIN LATERAL (
        SELECT day, seq FROM {schema}.decision WHERE decision_id = asked.id AND day = asked.hint
    ) d ON true;
    IF array_position(seqs, NULL) IS NULL THEN
        RETURN;
    END IF;
    SELECT array_agg(coalesce(asked.day, d.day) ORDER BY asked.ord),
        array_agg(coalesce(asked.seq, d.seq) ORDER BY asked.ord) INTO days, seqs
    FROM unnest(ids, days, seqs) WITH ORDINALITY asked (id, day, seq, ord)
    LEFT JOIN LATERAL (
        SELECT day, seq FROM {schema}.decision WHERE asked.seq IS NULL AND decision_id = asked.id LIMIT 1
    ) d ON true;
END $$;

-- Writes a batch: decisions, then outcomes, then judgements; the same again changes nothing and answers the same.
-- Of each outcome: its number, or 0 where the decision has another, or NULL where the decision is not on record.
-- Of each judgement: 1, or 0 where that source has judged already, 2 where there is no outcome, 3 where it is not whole,
-- or NULL. `batch` names what is new and in no sum yet; 0 = nothing is.
CREATE FUNCTION {schema}.log(
    writer uuid, b {schema}.begins, s {schema}.settles, j {schema}.judges,
    OUT batch bigint, OUT settled bigint[], OUT judged smallint[]
) LANGUAGE plpgsql AS $$
DECLARE
    at_days date[];
    at_seqs bigint[];
    new_days date[] := '{}';
    new_decisions bigint[] := '{}';
    judged_days date[] := '{}';
    judged_decisions bigint[] := '{}';
    judged_sources text[] := '{}';
BEGIN
    PERFORM pg_advisory_xact_lock_shared({schema}.lock_of(1));
    batch := 0;
    IF cardinality(b.ids) > 0 THEN
        WITH begun AS (
            INSERT INTO {schema}.decision (day, seq, decision_id, at, dispatch, prompt)
            SELECT n.day, nextval('{schema}.place'), n.id, n.at, n.dispatch, n.prompt FROM (
                SELECT * FROM unnest(b.ids, b.days, b.instants, b.dispatches, b.prompts)
                    WITH ORDINALITY o (id, day, at, dispatch, prompt, ord) ORDER BY ord
            ) n
            ON CONFLICT (decision_id, day) DO NOTHING
            RETURNING decision_id, seq, day
        )
        INSERT INTO {schema}.unsettled (decision_id, decision, day) SELECT decision_id, seq, day FROM begun;
    END IF;
    IF cardinality(s.ids) > 0 THEN
        SELECT array_agg(u.day ORDER BY asked.ord), array_agg(u.decision ORDER BY asked.ord) INTO at_days, at_seqs
        FROM unnest(s.ids) WITH ORDINALITY asked (id, ord)
        LEFT JOIN {schema}.unsettled u ON u.decision_id = asked.id;
        IF array_position(at_seqs, NULL) IS NOT NULL THEN
            SELECT * INTO at_days, at_seqs FROM {schema}.find(s.ids, s.days);
        END IF;
        WITH new AS (
            INSERT INTO {schema}.outcome (day, decision, number, token, ok, settlement)
            SELECT n.day, n.seq, nextval('{schema}.place'), n.token, n.ok, n.settlement FROM (
                SELECT * FROM unnest(at_days, at_seqs, s.tokens, s.ok, s.settlements)
                    WITH ORDINALITY o (day, seq, token, ok, settlement, ord) WHERE seq IS NOT NULL ORDER BY ord
            ) n
            ON CONFLICT (decision, day) DO NOTHING
            RETURNING day, decision, number
        )
        SELECT coalesce(array_agg(day ORDER BY number), '{}'), coalesce(array_agg(decision ORDER BY number), '{}'),
            array_agg(number ORDER BY number)
        INTO new_days, new_decisions, settled FROM new;
        IF cardinality(new_decisions) < cardinality(s.ids) THEN
            SELECT array_agg(
                CASE WHEN n.seq IS NOT NULL THEN CASE WHEN o.token = n.token THEN o.number ELSE 0 END END ORDER BY n.ord
            ) INTO settled
            FROM unnest(at_days, at_seqs, s.tokens) WITH ORDINALITY n (day, seq, token, ord)
            LEFT JOIN LATERAL (
                SELECT token, number FROM {schema}.outcome WHERE decision = n.seq AND day = n.day
            ) o ON true;
        END IF;
        DELETE FROM {schema}.unsettled WHERE decision_id = ANY(s.ids);
    END IF;
    IF cardinality(j.ids) > 0 THEN
        SELECT * INTO at_days, at_seqs FROM {schema}.find(j.ids, j.days);
        WITH new AS (
            INSERT INTO {schema}.feedback (day, decision, seq, source, token, feedback)
            SELECT n.day, n.seq, nextval('{schema}.place'), n.source, n.token, n.feedback FROM (
                SELECT o.* FROM unnest(at_days, at_seqs, j.tokens, j.sources, j.feedback)
                    WITH ORDINALITY o (day, seq, token, source, feedback, ord)
                JOIN LATERAL (
                    SELECT ok FROM {schema}.outcome WHERE decision = o.seq AND day = o.day
                ) done ON done.ok
                ORDER BY o.ord
            ) n
            ON CONFLICT (decision, source, day) DO NOTHING
            RETURNING day, decision, source, seq
        )
        SELECT coalesce(array_agg(day ORDER BY seq), '{}'), coalesce(array_agg(decision ORDER BY seq), '{}'),
            coalesce(array_agg(source ORDER BY seq), '{}')
        INTO judged_days, judged_decisions, judged_sources FROM new;
        IF cardinality(judged_decisions) = cardinality(j.ids) THEN
            judged := array_fill(1::smallint, ARRAY[cardinality(j.ids)]);
        ELSE
            SELECT array_agg(
                CASE WHEN n.seq IS NULL THEN NULL WHEN f.token = n.token THEN 1 WHEN f.token IS NOT NULL THEN 0
                    WHEN o.ok IS NULL THEN 2 ELSE 3 END::smallint ORDER BY n.ord
            ) INTO judged
            FROM unnest(at_days, at_seqs, j.tokens, j.sources) WITH ORDINALITY n (day, seq, token, source, ord)
            LEFT JOIN LATERAL (
                SELECT token FROM {schema}.feedback WHERE decision = n.seq AND source = n.source AND day = n.day
            ) f ON true
            LEFT JOIN LATERAL (
                SELECT ok FROM {schema}.outcome WHERE decision = n.seq AND day = n.day
            ) o ON true;
        END IF;
    END IF;
    IF cardinality(new_decisions) + cardinality(judged_decisions) > 0 THEN
        INSERT INTO {schema}.unfolded (writer, days, decisions, sources) VALUES (
            log.writer, new_days || judged_days, new_decisions || judged_decisions,
            array_fill(NULL::text, ARRAY[cardinality(new_decisions)]) || judged_sources
        ) RETURNING id INTO batch;
    END IF;
END $$;

-- The rows of the log that are in no sum yet: of these batches, or of all where none are named.
CREATE FUNCTION {schema}.unfolded_rows(batches bigint[])
RETURNS TABLE (dispatch text, settlement text, number bigint, feedback text) LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY
    SELECT d.dispatch, o.settlement, o.number, f.feedback
    FROM {schema}.unfolded u
    CROSS JOIN LATERAL unnest(u.days, u.decisions, u.sources) WITH ORDINALITY r (day, decision, source, ord)
    JOIN LATERAL (SELECT d.dispatch FROM {schema}.decision d WHERE d.seq = r.decision AND d.day = r.day) d ON true
    JOIN LATERAL (
        SELECT o.settlement, o.number FROM {schema}.outcome o WHERE o.decision = r.decision AND o.day = r.day
    ) o ON true
    LEFT JOIN LATERAL (
        SELECT f.feedback FROM {schema}.feedback f
        WHERE f.decision = r.decision AND f.source = r.source AND f.day = r.day
    ) f ON true
    WHERE batches IS NULL OR u.id = ANY(batches)
    ORDER BY u.id, r.ord;
END $$;
