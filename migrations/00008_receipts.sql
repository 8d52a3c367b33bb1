-- +goose Up

-- Each range of event_by_receipt that fills up is left to autovacuum to
-- summarise, through a list of 256 for the whole server that is emptied about once
-- a minute. With ranges of 256 KB it was full within seconds where many events
-- came, and every range more went to the server's log, with the statement that
-- had filled it. Ranges of 8 MB fill it at 34 MB of events a second; a report reads
-- two of them in vain. Receivers spool while it is made anew.
DROP INDEX event_by_receipt;
CREATE INDEX event_by_receipt ON event USING brin (received_at) WITH (pages_per_range = 1024, autosummarize = on);

-- +goose Down
DROP INDEX event_by_receipt;
CREATE INDEX event_by_receipt ON event USING brin (received_at) WITH (pages_per_range = 32, autosummarize = on);
