package console

import (
	"context"
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/cdrstore/cdrstore/db"
	"github.com/cdrstore/cdrstore/internal/ingest"
)

const (
	maxReasons    = 100
	piecesPerPage = 25
	maxBodyBytes  = 4 << 10
)

// Chosen says which unread pieces of the quarantine are to be read again: one,
// where ID is set, or all of a source that share a reason.
type Chosen struct {
	Source, Reason string
	ID             string // quarantine_id; empty: all with the reason
}

// ReplayFunc reads pieces of the quarantine again. It may have done a part where
// it returns an error.
type ReplayFunc func(context.Context, Chosen) (ingest.Replayed, error)

// quarantinePage is what could not be read.
type quarantinePage struct {
	Reasons     []reasonRow
	MoreReasons bool
	Source      string
	Reason      string
	Read        bool // show those that were replayed
	Pieces      []pieceRow
	Older       string // link; empty: there are none
	Newest      string // link; empty: these are the newest
	CanReplay   bool
	Done        *ingest.Replayed // what the last replay did; nil: there was none
}

// reasonRow is why some pieces of a source are unread.
type reasonRow struct {
	db.QuarantineReasonsRow
	Link, Sealed string
}

// pieceRow is one piece.
type pieceRow struct {
	db.QuarantinePageRow
	Body preview
}

// quarantine shows what could not be read.
func (c *Console) quarantine(w http.ResponseWriter, r *http.Request, v *view) error {
	v.Title = "Quarantine"
	p := &quarantinePage{Source: v.query.Get("source"), Read: v.query.Get("read") == "yes", CanReplay: c.Replay != nil, Done: doneOf(v)}
	if strings.Contains(p.Source, "\x00") {
		return problem{http.StatusBadRequest, "There is no such source."}
	}
	if given := v.query.Get("reason"); given != "" {
		reason, err := c.open(given)
		if err != nil {
			return problem{http.StatusBadRequest, "This link is of another console, or too old. Choose the reason again."}
		}
		p.Reason = reason
	}
	if err := c.readReasons(r.Context(), v, p); err != nil {
		return err
	}
	if err := c.readPieces(r.Context(), v, p); err != nil {
		return err
	}
	return c.show(w, v, "quarantine", p)
}

func (c *Console) readReasons(ctx context.Context, v *view, p *quarantinePage) error {
	rows, err := c.q.QuarantineReasons(ctx, maxReasons+1)
	if err != nil {
		return fmt.Errorf("read the reasons: %w", err)
	}
	if len(rows) > maxReasons {
		rows, p.MoreReasons = rows[:maxReasons], true
	}
	for _, row := range rows {
		sealed := c.seal(row.Reason)
		p.Reasons = append(p.Reasons, reasonRow{row, v.Link("/quarantine", "source", row.Source, "reason", sealed), sealed})
	}
	return nil
}

func (c *Console) readPieces(ctx context.Context, v *view, p *quarantinePage) error {
	params := db.QuarantinePageParams{
		BodyBytes: maxBodyBytes, Source: p.Source, Reason: p.Reason, Replayed: p.Read, AtMost: piecesPerPage + 1,
		BeforeTime: pgtype.Timestamptz{InfinityModifier: pgtype.Infinity, Valid: true}, BeforeID: pgtype.UUID{Valid: true},
	}
	if before := v.query.Get("before"); before != "" {
		if err := c.readPlace(before, &params); err != nil {
			return err
		}
		p.Newest = p.link(c, v, "")
	}
	rows, err := c.q.QuarantinePage(ctx, params)
	if err != nil {
		return fmt.Errorf("read the quarantine: %w", err)
	}
	if len(rows) > piecesPerPage {
		rows = rows[:piecesPerPage]
		last := rows[piecesPerPage-1]
		p.Older = p.link(c, v, c.seal(strings.Join([]string{last.ReceivedAt.Time.Format(time.RFC3339Nano), last.QuarantineID.String(), last.Source}, " ")))
	}
	mask := c.masker.text
	if !c.Mask {
		mask = nil
	}
	for _, row := range rows {
		p.Pieces = append(p.Pieces, pieceRow{row, previewOf(row.Body, row.Size, mask)})
	}
	return nil
}

// readPlace reads where the page before this one ended.
func (c *Console) readPlace(text string, params *db.QuarantinePageParams) error {
	wrong := problem{http.StatusBadRequest, "This link is of another console, or too old. Begin with the newest pieces."}
	place, err := c.open(text)
	if err != nil {
		return wrong
	}
	parts := strings.SplitN(place, " ", 3)
	if len(parts) != 3 {
		return wrong
	}
	at, err := time.Parse(time.RFC3339Nano, parts[0])
	if err != nil || params.BeforeID.Scan(parts[1]) != nil {
		return wrong
	}
	params.BeforeTime, params.BeforeSource = pgtype.Timestamptz{Time: at, Valid: true}, parts[2]
	return nil
}

// link is this page with another place.
func (p *quarantinePage) link(c *Console, v *view, before string) string {
	reason, read := "", ""
	if p.Reason != "" {
		reason = c.seal(p.Reason)
	}
	if p.Read {
		read = "yes"
	}
	return v.Link("/quarantine", "source", p.Source, "reason", reason, "read", read, "before", before)
}

// doneOf reads what the replay before this page did.
func doneOf(v *view) *ingest.Replayed {
	counts := strings.Split(v.query.Get("done"), ".")
	if len(counts) != 5 {
		return nil
	}
	var numbers [5]int
	for i, text := range counts {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			return nil
		}
		numbers[i] = n
	}
	return &ingest.Replayed{Pieces: numbers[0], Read: numbers[1], Records: numbers[2], Duplicates: numbers[3], Unreadable: numbers[4]}
}

// replay reads pieces again and then shows the quarantine, so that reloading
// that page repeats nothing.
func (c *Console) replay(w http.ResponseWriter, r *http.Request, v *view) error {
	if c.Replay == nil {
		return problem{http.StatusServiceUnavailable, "Nothing can be replayed here. `cdrstore replay` does it."}
	}
	chosen, err := c.chosen(r)
	if err != nil {
		return err
	}
	if !c.replaying.TryLock() {
		return problem{http.StatusConflict, "Another replay is under way. Wait for it and look again."}
	}
	defer c.replaying.Unlock()
	// Who closes the page does not stop it half-way.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), replayTime)
	defer cancel()
	done, err := c.Replay(ctx, chosen)
	if err != nil {
		return fmt.Errorf("replay: %w", err)
	}
	v.TZ = r.PostForm.Get("tz")
	if v.TZ == "" {
		v.TZ = "UTC"
	}
	counts := fmt.Sprintf("%d.%d.%d.%d.%d", done.Pieces, done.Read, done.Records, done.Duplicates, done.Unreadable)
	http.Redirect(w, r, v.Link("/quarantine", "done", counts), http.StatusSeeOther)
	return nil
}

// replayTime is how long one replay may take. Ten thousand pieces of a full
// source take some seconds.
const replayTime = 5 * time.Minute

func (c *Console) chosen(r *http.Request) (Chosen, error) {
	wrong := problem{http.StatusBadRequest, "The form does not say what to replay. Open the page again and repeat."}
	chosen := Chosen{Source: r.PostForm.Get("source"), ID: r.PostForm.Get("id")}
	if given := r.PostForm.Get("reason"); given != "" {
		reason, err := c.open(given)
		if err != nil {
			return Chosen{}, wrong
		}
		chosen.Reason = reason
	}
	if chosen.Source == "" || strings.Contains(chosen.Source, "\x00") || (chosen.ID == "") == (chosen.Reason == "") {
		return Chosen{}, wrong
	}
	if _, err := hex.DecodeString(strings.ReplaceAll(chosen.ID, "-", "")); err != nil {
		return Chosen{}, wrong
	}
	return chosen, nil
}
