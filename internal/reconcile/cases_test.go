package reconcile_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/ingest"
	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
	"github.com/cdrstore/cdrstore/internal/provider"
	"github.com/cdrstore/cdrstore/internal/reconcile"
	"github.com/cdrstore/cdrstore/internal/store"
	"github.com/cdrstore/cdrstore/internal/store/storetest"
	"github.com/cdrstore/cdrstore/internal/testcase"
)

var update = flag.Bool("update", false, "write what the cases should give")

func TestMain(m *testing.M) { os.Exit(pgtest.Run(m)) }

// importCase is a folder of testdata/imports: pushed.ndjson is what the webhook
// delivered, file.* what is imported then. want.txt is what import and reconcile
// print, rows.want.json what the tables hold afterwards.
type importCase struct {
	Provider string       `json:"provider"`
	Settings cdr.Settings `json:"settings"`
	// AnyOrder says that nothing was lost: then the calls are the same when the
	// file is imported first.
	AnyOrder bool `json:"any_order"`

	dir, file string
	pushed    []byte
}

func loadCases(t *testing.T) map[string]importCase {
	t.Helper()
	dirs, err := filepath.Glob(filepath.Join(testcase.Root(t), "imports", "*"))
	if err != nil || len(dirs) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	cases := map[string]importCase{}
	for _, dir := range dirs {
		c := importCase{dir: dir}
		text, err := os.ReadFile(filepath.Join(dir, "case.json"))
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, &c); err != nil {
			t.Fatalf("%s: %v", dir, err)
		}
		files, err := filepath.Glob(filepath.Join(dir, "file.*"))
		if err != nil || len(files) != 1 {
			t.Fatalf("%s: files %v, %v", dir, files, err)
		}
		c.file = files[0]
		if c.pushed, err = os.ReadFile(filepath.Join(dir, "pushed.ndjson")); err != nil {
			t.Fatal(err)
		}
		cases[filepath.Base(dir)] = c
	}
	return cases
}

// bench is a database with one source.
type bench struct {
	pool  *pgxpool.Pool
	store *store.Store
	src   store.Source
	now   time.Time
}

func newBench(t *testing.T, providerName string, settings cdr.Settings) *bench {
	t.Helper()
	pool := pgtest.Pool(t)
	b := &bench{
		pool: pool, store: store.New(pool, slog.New(slog.DiscardHandler)), now: testcase.Start(),
		src: store.Source{Name: "acme", Provider: providerName, Settings: settings},
	}
	if err := b.store.Register(t.Context(), []store.Source{b.src}); err != nil {
		t.Fatal(err)
	}
	return b
}

// push delivers a body as the receiver would, an hour after what came before.
func (b *bench) push(t *testing.T, body []byte) {
	t.Helper()
	b.now = b.now.Add(time.Hour)
	if len(bytes.TrimSpace(body)) == 0 {
		return
	}
	adapter, _ := provider.ByName(b.src.Provider)
	records := adapter.Read(cdr.Delivery{
		Source: b.src.Name, Provider: b.src.Provider, Settings: b.src.Settings, Method: "POST",
		ContentType: "application/json", Body: body, ReceivedAt: b.now,
	})
	for _, r := range records {
		if r.Reject != nil {
			t.Fatalf("pushed: %s", r.Reject.Reason)
		}
	}
	if _, err := b.store.Save(t.Context(), records); err != nil {
		t.Fatal(err)
	}
}

func (b *bench) input(files ...string) reconcile.Input {
	b.now = b.now.Add(time.Hour)
	return reconcile.Input{Source: b.src, Files: files, Now: b.now}
}

// imported imports a file and returns the report as text.
func (b *bench) imported(t *testing.T, dry bool, files ...string) string {
	t.Helper()
	var out strings.Builder
	done, err := reconcile.Import(t.Context(), b.store, b.input(files...), dry, func(n reconcile.Note) {
		fmt.Fprintf(&out, "line %d: %s %s %s: %s%s\n", n.Line, n.What, n.CallID, n.RecordKey, n.Reason, reconcile.Explain(n.Differences))
	}, func(int) {})
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(&out, "%+v\n", done)
	return out.String()
}

// compared reconciles a file and returns the report as text.
func (b *bench) compared(t *testing.T, files ...string) string {
	t.Helper()
	var out strings.Builder
	p := reconcile.Printer{Out: &out, All: true}
	totals, err := reconcile.Files(t.Context(), b.pool, b.input(files...), reconcile.Options{}, p.Row, func(int) {})
	if err == nil {
		err = p.End(totals)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func (b *bench) rows(t *testing.T) testcase.Rows {
	t.Helper()
	return storetest.Rows(t, b.pool, b.src.Name, b.src.Name)
}

func TestCases(t *testing.T) {
	t.Parallel()
	for name, c := range loadCases(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, c.Provider, c.Settings)
			b.push(t, c.pushed)
			reports := "RECONCILE BEFORE\n" + b.compared(t, c.file)
			before := b.rows(t)
			dry := b.imported(t, true, c.file)
			if after := b.rows(t); !sameRows(t, before, after) {
				t.Errorf("a dry run and a comparison wrote something")
			}
			first := b.imported(t, false, c.file)
			reports += "\nDRY RUN\n" + dry + "\nIMPORT\n" + first
			rows := b.rows(t)
			reports += "\nIMPORT AGAIN\n" + b.imported(t, false, c.file)
			reports += "\nRECONCILE AFTER\n" + b.compared(t, c.file)
			if again := b.rows(t); !sameRows(t, rows, again) {
				t.Errorf("the second import changed something")
			}
			reports = strings.ReplaceAll(reports, c.dir+"/", "")
			golden(t, filepath.Join(c.dir, "want.txt"), []byte(reports))
			golden(t, filepath.Join(c.dir, "rows.want.json"), indented(t, rows))
			if d, err := b.store.Verify(t.Context(), func(d store.Difference) { t.Errorf("%+v", d) }, func(int) {}); err != nil || d.Differences > 0 {
				t.Errorf("%d calls are not the fold of their events: %v", d.Differences, err)
			}
			redecoded(t, b, rows)
			if c.AnyOrder {
				anyOrder(t, c, rows.Calls)
			}
		})
	}
}

// redecoded reads all payloads again and wants nothing to change: a row of an
// export is still one, and still imported.
func redecoded(t *testing.T, b *bench, rows testcase.Rows) {
	t.Helper()
	done, err := b.store.Rebuild(t.Context(), ingest.Redecode, func(int) {})
	if err != nil || done.Events > 0 || done.Changed > 0 || done.Unreadable > 0 {
		t.Errorf("read again: %+v, %v", done, err)
	}
	if after := b.rows(t); !sameRows(t, rows, after) {
		t.Errorf("reading the payloads again changed something")
	}
}

// anyOrder imports the file before, between and after the pushes, in all ways
// of pushing line by line, and wants the calls to be those of the push alone.
func anyOrder(t *testing.T, c importCase, want []cdr.Call) {
	t.Helper()
	lines := bytes.Split(bytes.TrimSpace(c.pushed), []byte("\n"))
	for at := range len(lines) + 1 {
		for _, reversed := range []bool{false, true} {
			order := slices.Clone(lines)
			if reversed {
				slices.Reverse(order)
			}
			b := newBench(t, c.Provider, c.Settings)
			for i := range len(order) + 1 {
				if i == at {
					b.imported(t, false, c.file)
				}
				if i < len(order) {
					b.push(t, order[i])
				}
			}
			if _, err := b.store.JoinImported(t.Context(), time.Time{}); err != nil {
				t.Fatal(err)
			}
			got := b.rows(t).Calls
			if len(got) != len(want) {
				t.Fatalf("import at %d, reversed %v: %d calls, want %d", at, reversed, len(got), len(want))
			}
			for i := range got {
				columns := slices.DeleteFunc(want[i].Diff(&got[i]), func(column string) bool { return strings.HasSuffix(column, "received_at") })
				if len(columns) > 0 {
					t.Errorf("import at %d, reversed %v: %v differ\n got %+v\nwant %+v", at, reversed, columns, got[i], want[i])
				}
			}
		}
	}
}

func sameRows(t *testing.T, a, b testcase.Rows) bool {
	t.Helper()
	return bytes.Equal(indented(t, a), indented(t, b))
}

func indented(t *testing.T, v any) []byte {
	t.Helper()
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return append(text, '\n')
}

func golden(t *testing.T, file string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, got) {
		t.Errorf("%s differs\n got: %s\nwant: %s", filepath.Base(file), got, want)
	}
}
