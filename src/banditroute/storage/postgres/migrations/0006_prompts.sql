-- Decisions whose prompts are kept, by age: prompts may go before their decisions do.

CREATE INDEX decision_prompt ON {schema}.decision (at) WHERE prompt IS NOT NULL;
