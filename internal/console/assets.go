package console

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
)

//go:embed assets
var assetFiles embed.FS

// assets are the files that pages load, by the name under which they are served.
type assets struct {
	files map[string]asset
	urls  map[string]string // by the name of the file
}

type asset struct {
	body []byte
	kind string
}

// readAssets names each file by its content, so that browsers may keep it for
// ever.
func readAssets() (assets, error) {
	a := assets{files: map[string]asset{}, urls: map[string]string{}}
	entries, err := fs.ReadDir(assetFiles, "assets")
	if err != nil {
		return a, fmt.Errorf("console: read the assets: %w", err)
	}
	for _, e := range entries {
		ending := path.Ext(e.Name())
		if e.IsDir() || ending != ".js" && ending != ".css" && ending != ".svg" {
			continue
		}
		body, err := assetFiles.ReadFile("assets/" + e.Name())
		if err != nil {
			return a, fmt.Errorf("console: read the asset %s: %w", e.Name(), err)
		}
		sum := sha256.Sum256(body)
		name := strings.TrimSuffix(e.Name(), ending) + "." + hex.EncodeToString(sum[:6]) + ending
		a.files[name] = asset{body, kindOf(ending)}
		a.urls[e.Name()] = "/assets/" + name
	}
	return a, nil
}

// kindOf does not ask the machine, which may call scripts by another name.
func kindOf(ending string) string {
	switch ending {
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	}
	return mime.TypeByExtension(ending)
}

// ServeHTTP answers with a file.
func (a assets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	file, ok := a.files[r.PathValue("name")]
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", file.kind)
	w.Header().Set("Cache-Control", "private, max-age=31536000, immutable")
	_, _ = w.Write(file.body) // the client is gone
}

// url is where a page finds a file; empty: there is none of that name.
func (a assets) url(name string) string { return a.urls[name] }
