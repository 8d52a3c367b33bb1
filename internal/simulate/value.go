package simulate

import (
	"encoding/json"

	"github.com/cdrstore/cdrstore/internal/cdr"
)

// value prints a column of a call; null where there is none.
func value(c *cdr.Call, column string) string {
	text, _ := json.Marshal(c) // texts, numbers, times
	var columns map[string]json.RawMessage
	_ = json.Unmarshal(text, &columns)
	if v := columns[column]; v != nil {
		return string(v)
	}
	return "null"
}
