package chaos

import (
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// proxy stands between a receiver and its database and can be cut.
type proxy struct {
	to string // the database's socket

	mu     sync.Mutex
	isCut  bool
	open   map[net.Conn]bool
	socket net.Listener
}

// newProxy returns a proxy and the URL that leads through it.
func newProxy(t *testing.T, database string) (*proxy, string) {
	t.Helper()
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "cut-") // a short name, for sockets have short ones
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	name := ".s.PGSQL." + q.Get("port")
	p := &proxy{to: filepath.Join(q.Get("host"), name), open: map[net.Conn]bool{}}
	if p.socket, err = (&net.ListenConfig{}).Listen(t.Context(), "unix", filepath.Join(dir, name)); err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() { p.serve(t, &running) })
	t.Cleanup(func() {
		_ = p.socket.Close()
		p.cut()
		running.Wait()
		_ = os.RemoveAll(dir)
	})
	q.Set("host", dir)
	u.RawQuery = q.Encode()
	return p, u.String()
}

func (p *proxy) serve(t *testing.T, running *sync.WaitGroup) {
	for {
		from, err := p.socket.Accept()
		if err != nil {
			return
		}
		to, err := (&net.Dialer{}).DialContext(t.Context(), "unix", p.to)
		if err != nil || !p.keep(from, to) {
			_ = from.Close()
			continue
		}
		running.Go(func() { p.copy(to, from) })
		running.Go(func() { p.copy(from, to) })
	}
}

// keep notes connections, unless the line is cut.
func (p *proxy) keep(conns ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		if p.isCut {
			_ = c.Close()
			continue
		}
		p.open[c] = true
	}
	return !p.isCut
}

func (p *proxy) copy(to, from net.Conn) {
	_, _ = io.Copy(to, from) // until one of them is closed
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range []net.Conn{to, from} {
		_ = c.Close()
		delete(p.open, c)
	}
}

// cut breaks off all connections and takes no more until release. What the
// receiver has asked is still done, and its answer lost.
func (p *proxy) cut() (release func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.isCut = true
	for c := range p.open {
		_ = c.Close()
	}
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.isCut = false
	}
}
