-- For a store whose sums are kept elsewhere, beside this log: see `banditroute.storage.paired`.

-- One row where they are: which edition of them is the one that counts, and how often it had been changed when rows of
-- this log were last taken for added.
CREATE TABLE {schema}.elsewhere (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    edition bigint NOT NULL,
    changes bigint NOT NULL
) WITH (fillfactor = 50);

-- Evidence that is to be added to the sums, and is of no row of the log.
ALTER TABLE {schema}.unfolded ADD COLUMN more {schema}.edges;

-- Has a writer's batches committed in the order of their ids: whoever sees one has seen, or may see, all before it. Held
-- until the transaction ends, as is the right to write the log.
CREATE FUNCTION {schema}.take_turn(of_writer uuid) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared({schema}.lock_of(1));
    PERFORM pg_advisory_xact_lock(hashtextextended('banditroute {schema} ' || of_writer, 5));
END $$;

CREATE FUNCTION {schema}.log_in_turn(
    of_writer uuid, b {schema}.begins, s {schema}.settles, j {schema}.judges,
    OUT batch bigint, OUT settled bigint[], OUT judged smallint[]
) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM {schema}.take_turn(of_writer);
    SELECT l.batch, l.settled, l.judged INTO batch, settled, judged FROM {schema}.log(of_writer, b, s, j) l;
END $$;

-- Lets go of batches that were added to an edition, which had been changed so often then; false, and nothing is changed,
-- where another edition counts by now.
CREATE FUNCTION {schema}.let_go(of_writer uuid, upto bigint, of_edition bigint, at_change bigint)
RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    UPDATE {schema}.elsewhere SET changes = greatest(changes, at_change) WHERE edition = of_edition;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM set_config('banditroute.elsewhere', '{schema}', true);
    DELETE FROM {schema}.unfolded WHERE writer = of_writer AND id <= upto;
    RETURN true;
END $$;

-- Keeps everybody else from taking rows for added: who does not know where the sums are would add to others.
CREATE FUNCTION {schema}.keep_unfolded() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM {schema}.elsewhere)
        AND current_setting('banditroute.elsewhere', true) IS DISTINCT FROM '{schema}'
    THEN
        RAISE EXCEPTION 'the sums of this log are kept in Redis: write kind = "redis" and log = "postgres"';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER keep BEFORE DELETE ON {schema}.unfolded
    FOR EACH STATEMENT EXECUTE FUNCTION {schema}.keep_unfolded();
