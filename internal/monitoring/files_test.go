package monitoring

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestRules(t *testing.T) {
	t.Parallel()
	types := documented(t)
	text := read(t, "../../docs/metrics.md")
	var names []string
	for _, r := range rules(t) {
		names = append(names, r.Alert)
		wantDocumented(t, types, r.Alert, r.Expr)
		if r.Annotations["summary"] == "" || r.Annotations["description"] == "" || len(r.Annotations) != 2 {
			t.Errorf("%s: annotations %v", r.Alert, r.Annotations)
		}
		if s := r.Labels["severity"]; s != "critical" && s != "warning" {
			t.Errorf("%s: severity %q", r.Alert, s)
		}
		if !strings.Contains(text, "\n| `"+r.Alert+"` | ") {
			t.Errorf("%s is not in docs/metrics.md", r.Alert)
		}
	}
	for _, m := range regexp.MustCompile("(?m)^\\| `([A-Z][A-Za-z]+)` \\|").FindAllStringSubmatch(text, -1) {
		if !slices.Contains(names, m[1]) {
			t.Errorf("docs/metrics.md has a rule %s, and alerts.yml has not", m[1])
		}
	}
	for _, want := range []string{"ReceiverDown", "SourceSilent", "QuarantineGrowing", "SpoolFilling", "SpoolFailing", "ASRDrop", "CommitLatency", "DatabaseAway"} {
		if !slices.Contains(names, want) {
			t.Errorf("no rule %s", want)
		}
	}
}

// Every metric of a dashboard is documented, every data source is provisioned,
// and no panel lies on another.
func TestDashboards(t *testing.T) {
	t.Parallel()
	types, known := documented(t), datasources(t)
	uids := map[string]bool{}
	for path, d := range dashboards(t) {
		if d.UID == "" || uids[d.UID] || d.Title == "" || d.Editable == nil || *d.Editable {
			t.Errorf("%s: uid %q, title %q", path, d.UID, d.Title)
		}
		uids[d.UID] = true
		ids, taken := map[int]bool{}, map[[2]int]string{}
		for _, p := range d.Panels {
			if ids[p.ID] {
				t.Errorf("%s: two panels %d", path, p.ID)
			}
			ids[p.ID] = true
			for x := p.Place.X; x < p.Place.X+p.Place.W; x++ {
				for y := p.Place.Y; y < p.Place.Y+p.Place.H; y++ {
					if other := taken[[2]int{x, y}]; other != "" || x >= 24 {
						t.Fatalf("%s: %s lies on %q or beyond the edge", path, p.Title, other)
					}
					taken[[2]int{x, y}] = p.Title
				}
			}
			if p.Type == "row" {
				continue
			}
			if len(p.Targets) == 0 || p.Title == "" {
				t.Errorf("%s: panel %d %q shows nothing", path, p.ID, p.Title)
			}
			for _, q := range p.Targets {
				if known[q.Datasource.UID] != q.Datasource.Type || q.Datasource != p.Datasource {
					t.Errorf("%s: %s: data source %v", path, p.Title, q.Datasource)
				}
				if (q.Datasource.Type == "prometheus") != (q.Expr != "") || (q.Expr == "") == (q.RawSQL == "") {
					t.Errorf("%s: %s: neither PromQL nor SQL of its data source: %+v", path, p.Title, q)
				}
				if q.Expr != "" {
					wantDocumented(t, types, path+": "+p.Title, q.Expr)
				}
			}
		}
		wantVariables(t, path, d)
	}
}

// wantVariables checks that every variable which a dashboard uses is there.
func wantVariables(t *testing.T, path string, d dashboard) {
	t.Helper()
	var names []string
	for _, v := range d.Templating.List {
		names = append(names, v.Name)
	}
	used := map[string]bool{}
	for _, m := range regexp.MustCompile(`\$\{?([a-z]\w*)`).FindAllStringSubmatch(read(t, path), -1) {
		used[m[1]] = true
		if !slices.Contains(names, m[1]) {
			t.Errorf("%s: no variable %s", path, m[1])
		}
	}
	for _, name := range names {
		if !used[name] {
			t.Errorf("%s: nothing uses the variable %s", path, name)
		}
	}
}

// datasources are the provisioned data sources: types by uid.
func datasources(t *testing.T) map[string]string {
	t.Helper()
	var file struct {
		APIVersion  int `yaml:"apiVersion"`
		Datasources []struct {
			Name, UID, Type, Access, URL, User string
			IsDefault                          bool `yaml:"isDefault"`
			Editable                           bool
			JSONData                           map[string]any    `yaml:"jsonData"`
			SecureJSONData                     map[string]string `yaml:"secureJsonData"`
		} `yaml:"datasources"`
	}
	readYAML(t, "grafana/provisioning/datasources/datasources.yml", &file)
	types := map[string]string{}
	for _, d := range file.Datasources {
		types[d.UID] = d.Type
		for _, secret := range d.SecureJSONData {
			if !strings.HasPrefix(secret, "$") {
				t.Errorf("%s: a secret is written out", d.Name)
			}
		}
	}
	if file.APIVersion != 1 || len(types) != 2 {
		t.Errorf("%+v", file)
	}
	return types
}

// Prometheus scrapes the receiver of the compose file, and reads the rules where the compose file puts them.
func TestCompose(t *testing.T) {
	t.Parallel()
	var compose struct {
		Services map[string]struct {
			Image    string   `yaml:"image"`
			Profiles []string `yaml:"profiles"`
			Volumes  []string `yaml:"volumes"`
			Ports    []string `yaml:"ports"`
		} `yaml:"services"`
	}
	readLoosely(t, "../../docker-compose.yml", &compose)
	for name, s := range compose.Services {
		if monitoring := slices.Contains([]string{"reader", "prometheus", "grafana"}, name); monitoring != slices.Equal(s.Profiles, []string{"monitoring"}) {
			t.Errorf("%s has profiles %v", name, s.Profiles)
		}
		if s.Image != "cdrstore" && !regexp.MustCompile(`:v?\d`).MatchString(s.Image) {
			t.Errorf("%s: the version of %s is not pinned", name, s.Image)
		}
		for _, v := range s.Volumes {
			if host, _, _ := strings.Cut(v, ":"); strings.HasPrefix(host, ".") {
				if _, err := os.Stat("../../" + host); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
		}
	}
	var prometheus struct {
		Global     map[string]string `yaml:"global"`
		RuleFiles  []string          `yaml:"rule_files"`
		ScrapeJobs []struct {
			Job     string                       `yaml:"job_name"`
			Targets []struct{ Targets []string } `yaml:"static_configs"`
		} `yaml:"scrape_configs"`
	}
	readYAML(t, "prometheus.yml", &prometheus)
	mounted := compose.Services["prometheus"].Volumes
	for _, file := range prometheus.RuleFiles {
		if !slices.Contains(mounted, "./internal/monitoring/alerts.yml:"+file+":ro") {
			t.Errorf("%s is not mounted: %v", file, mounted)
		}
	}
	found := false
	for _, job := range prometheus.ScrapeJobs {
		if job.Job == "cdrstore" {
			found = slices.Equal(job.Targets[0].Targets, []string{"receiver:8080"})
		}
	}
	if !found {
		t.Errorf("the receiver is not scraped: %+v", prometheus)
	}
	var provider struct {
		APIVersion int `yaml:"apiVersion"`
		Providers  []struct {
			Name, Folder, Type string
			DisableDeletion    bool `yaml:"disableDeletion"`
			AllowUIUpdates     bool `yaml:"allowUiUpdates"`
			Options            struct{ Path string }
		} `yaml:"providers"`
	}
	readYAML(t, "grafana/provisioning/dashboards/dashboards.yml", &provider)
	if want := "./internal/monitoring/grafana/dashboards:" + provider.Providers[0].Options.Path + ":ro"; !slices.Contains(compose.Services["grafana"].Volumes, want) {
		t.Errorf("no volume %s", want)
	}
}
