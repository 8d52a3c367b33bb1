package cookbook

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// recipe is a question of the cookbook.
type recipe struct {
	title, sql, answer string
}

// section finds the SQL and the answer below a heading. The answer is the plain
// block right behind the SQL.
var section = regexp.MustCompile("(?s)## \\d+\\. ([^\n]+)\n.*?```sql\n(.*?)```\n\n```\n(.*?)```\n")

// readRecipes returns the recipes of a text and where their answers are.
func readRecipes(t *testing.T, text string) (all []recipe, answers [][2]int) {
	t.Helper()
	for _, m := range section.FindAllStringSubmatchIndex(text, -1) {
		all = append(all, recipe{text[m[2]:m[3]], text[m[4]:m[5]], text[m[6]:m[7]]})
		answers = append(answers, [2]int{m[6], m[7]})
	}
	if n := strings.Count(text, "```sql\n"); n != len(all) || n < 20 || strings.Count(text, "\n## ") != n {
		t.Fatalf("%d SQL blocks, %d of them below a heading and before an answer, %d headings", n, len(all), strings.Count(text, "\n## "))
	}
	return all, answers
}

func TestCookbook(t *testing.T) {
	t.Parallel()
	d := newDemo(t)
	file := filepath.Join(docs(t), "cookbook.md")
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	recipes, places := readRecipes(t, text)
	tables := map[string]table{}
	for i := len(recipes) - 1; i >= 0; i-- {
		r := recipes[i]
		got := d.query(r.sql)
		tables[r.title] = got
		printed := got.String()
		if *update {
			text = text[:places[i][0]] + printed + text[places[i][1]:]
		} else if printed != r.answer {
			t.Errorf("%s:\n%s\nthe file says:\n%s", r.title, printed, r.answer)
		}
		if len(got.rows) == 0 {
			t.Errorf("%s: the answer has no rows, so it shows nothing", r.title)
		}
	}
	checkContents(t, text, recipes)
	d.checkMoney(tables)
	if *update && !t.Failed() {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// checkContents compares the table of contents with the headings.
func checkContents(t *testing.T, text string, recipes []recipe) {
	t.Helper()
	for i, r := range recipes {
		heading := fmt.Sprintf("%d. %s", i+1, r.title)
		if !strings.Contains(text, "## "+heading+"\n") {
			t.Errorf("the heading of %q is not number %d", r.title, i+1)
		}
		anchor := strings.ReplaceAll(regexp.MustCompile(`[^\w\- ]`).ReplaceAllString(strings.ToLower(heading), ""), " ", "-")
		if line := fmt.Sprintf("%d. [%s](#%s)\n", i+1, r.title, anchor); !strings.Contains(text, line) {
			t.Errorf("the table of contents lacks: %s", line)
		}
	}
}

// query runs SQL as psql does: values are the server's text. UTC, and no number
// may pass through floating point.
func (d *demo) query(sql string) table {
	d.Helper()
	var got table
	err := d.pool.AcquireFunc(d.Context(), d.withConn(func(ctx context.Context, conn *pgx.Conn) error {
		if _, err := conn.Exec(ctx, "SET timezone = 'UTC'"); err != nil {
			return err
		}
		results, err := conn.PgConn().Exec(ctx, sql).ReadAll()
		if err != nil {
			return err
		}
		if len(results) != 1 {
			return fmt.Errorf("%d statements", len(results))
		}
		got, err = tableOf(results[0])
		return err
	}))
	if err != nil {
		d.Fatalf("%s: %v", sql, err)
	}
	return got
}

// tableOf reads a result. A float in it is an error.
func tableOf(r *pgconn.Result) (table, error) {
	var t table
	for _, f := range r.FieldDescriptions {
		if f.DataTypeOID == 700 || f.DataTypeOID == 701 {
			return t, fmt.Errorf("column %s is a float", f.Name)
		}
		t.columns = append(t.columns, f.Name)
		t.right = append(t.right, isNumber(f.DataTypeOID))
	}
	for _, row := range r.Rows {
		texts := make([]string, len(row))
		for i, v := range row {
			texts[i] = string(v) // null is nothing, as in psql
		}
		t.rows = append(t.rows, texts)
	}
	return t, nil
}
