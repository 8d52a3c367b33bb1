package didlogic

import (
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/record"
)

// decodeRecording reads a notice that the mp3 of a call can be fetched. It may
// come before the CDR.
func decodeRecording(f *record.Fields, callID string) (cdr.Record, error) {
	link := f.Long("recording_url")
	id := strings.TrimSpace(link)
	if i := strings.IndexAny(id, "?#"); i >= 0 {
		id = id[:i] // the query is a signature, another one in every notice
	}
	if id == "" {
		return cdr.Record{}, f.Errorf("recording_url", "no readable address")
	}
	return cdr.Record{Recordings: []cdr.Recording{{
		CallID: callID, RecordingID: id, URL: link, ExpiresAt: expiry(link),
	}}}, nil
}

// expiry returns when a pre-signed link ends, by the parameters of Amazon's and
// Google's signatures; zero when it does not say. DIDLogic's page names no
// lifetime.
func expiry(link string) time.Time {
	link, _, _ = strings.Cut(link, "#")
	_, query, _ := strings.Cut(link, "?")
	params, _ := url.ParseQuery(query) // what it cannot read it leaves out
	for _, prefix := range []string{"X-Amz-", "X-Goog-"} {
		signed, err := time.Parse("20060102T150405Z", params.Get(prefix+"Date"))
		if err != nil {
			continue
		}
		if seconds, err := strconv.ParseUint(params.Get(prefix+"Expires"), 10, 31); err == nil {
			return inRange(signed.Add(time.Duration(seconds) * time.Second))
		}
	}
	epoch, err := strconv.ParseUint(params.Get("Expires"), 10, 33)
	if err != nil || epoch == 0 {
		return time.Time{}
	}
	return inRange(time.Unix(int64(epoch), 0).UTC())
}

// inRange drops moments of years in which nothing can end.
func inRange(at time.Time) time.Time {
	if at.Year() < 1970 || at.Year() > 2200 {
		return time.Time{}
	}
	return at
}
