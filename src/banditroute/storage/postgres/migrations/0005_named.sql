-- Decisions by what their callers call the request and the conversation, which stand first in a dispatch where it has
-- them. They are compared as JSON writes them. An index of this kind has no entry for a row without a name.

CREATE FUNCTION {schema}.request_of(dispatch text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN substring(dispatch from '^\{"request_id":("(?:[^"\\]|\\.)*")');

CREATE FUNCTION {schema}.session_of(dispatch text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN substring(dispatch from '^\{(?:"request_id":"(?:[^"\\]|\\.)*",)?"session_id":("(?:[^"\\]|\\.)*")');

CREATE INDEX decision_request ON {schema}.decision USING hash ({schema}.request_of(dispatch));
CREATE INDEX decision_session ON {schema}.decision USING hash ({schema}.session_of(dispatch));
