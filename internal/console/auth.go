package console

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// cookieName is the cookie that stands for the token once it was shown.
const cookieName = "cdrstore_console"

// auth keeps digests of the credentials, so that comparing takes the same time
// whatever their length.
type auth struct {
	user, password, token, cookie, form digest
	hasUser, hasToken, loopback         bool
	cookieValue, formValue              string
}

type digest [sha256.Size]byte

func newAuth(o Options) auth {
	a := auth{
		user: sha256.Sum256([]byte(o.User)), password: sha256.Sum256([]byte(o.Password)), token: sha256.Sum256([]byte(o.Token)),
		hasUser: o.User != "", hasToken: o.Token != "", loopback: o.Loopback,
		formValue: rand.Text(),
	}
	// The cookie opens the console and nothing else that the token may open.
	mac := hmac.New(sha256.New, []byte(o.Token))
	mac.Write([]byte("cdrstore console cookie"))
	a.cookieValue = hex.EncodeToString(mac.Sum(nil))
	a.cookie, a.form = sha256.Sum256([]byte(a.cookieValue)), sha256.Sum256([]byte(a.formValue))
	return a
}

func (d digest) is(given string) bool {
	g := sha256.Sum256([]byte(given))
	return subtle.ConstantTimeCompare(d[:], g[:]) == 1
}

// admit reports whether a request may look; else it has answered.
func (c *Console) admit(w http.ResponseWriter, r *http.Request) bool {
	a := c.auth
	if !a.hasUser && !a.hasToken {
		if a.loopback && !isForwarded(r.Header) && isLoopbackHost(r.Host) {
			return true
		}
		c.refuse(w, r, http.StatusForbidden)
		return false
	}
	if given := r.URL.Query()["token"]; a.hasToken && len(given) > 0 && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
		if len(given) == 1 && a.token.is(given[0]) {
			a.remember(w, r)
			return false
		}
	} else if a.holds(r) {
		return true
	}
	a.challenge(w.Header())
	c.refuse(w, r, http.StatusUnauthorized)
	return false
}

// holds compares everything that is set, whatever failed before.
func (a auth) holds(r *http.Request) bool {
	ok := 0
	if a.hasUser {
		user, password, given := r.BasicAuth()
		ok |= bit(given) & bit(a.user.is(user)) & bit(a.password.is(password))
	}
	if a.hasToken {
		scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		ok |= bit(strings.EqualFold(scheme, "Bearer")) & bit(a.token.is(strings.TrimSpace(token)))
		for _, cookie := range r.CookiesNamed(cookieName) {
			ok |= bit(a.cookie.is(cookie.Value))
		}
	}
	return ok == 1
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// remember sets the cookie and sends the browser to the same page without the
// token, so that it stays in no history and no link.
func (a auth) remember(w http.ResponseWriter, r *http.Request) {
	http.SetCookie(w, &http.Cookie{
		Name: cookieName, Value: a.cookieValue, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode,
		Secure: r.TLS != nil || strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https"),
	})
	query := r.URL.Query()
	query.Del("token")
	// A path that begins with two slashes would name another host.
	to := url.URL{Path: "/" + strings.TrimLeft(r.URL.Path, `/\`), RawQuery: query.Encode()}
	w.Header().Set("Location", to.String())
	w.WriteHeader(http.StatusSeeOther)
}

func (a auth) challenge(h http.Header) {
	if a.hasUser {
		h.Add("WWW-Authenticate", `Basic realm="cdrstore", charset="UTF-8"`)
	}
	if a.hasToken {
		h.Add("WWW-Authenticate", `Bearer realm="cdrstore"`)
	}
}

// refuse answers who may not look.
func (c *Console) refuse(w http.ResponseWriter, r *http.Request, status int) {
	c.write(w, status, "refused", struct {
		HasUser, HasToken bool
		Path              string
	}{c.auth.hasUser, c.auth.hasToken, r.URL.EscapedPath()})
}

// checkForm refuses forms that another site has made somebody's browser send.
func (c *Console) checkForm(w http.ResponseWriter, r *http.Request) error {
	if err := c.same.Check(r); err != nil {
		return errForeign
	}
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	if err := r.ParseForm(); err != nil || !c.auth.form.is(r.PostForm.Get("form_token")) {
		return errForeign
	}
	return nil
}

// isLoopbackHost reports whether a request was meant for this machine. A page of
// another site can point a name of its own at 127.0.0.1, but not this one.
func isLoopbackHost(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}

// isForwarded reports whether a request says that it came through something
// else: a proxy, or a tunnel from the outside to loopback.
func isForwarded(h http.Header) bool {
	for name := range h {
		switch name {
		case "Forwarded", "Via", "X-Real-Ip", "True-Client-Ip", "X-Client-Ip", "X-Cluster-Client-Ip",
			"X-Original-Forwarded-For", "Fastly-Client-Ip", "Fly-Client-Ip":
			return true
		}
		for _, prefix := range []string{"X-Forwarded-", "Cf-", "Cdn-", "Tailscale-", "X-Envoy-", "Ngrok-"} {
			if strings.HasPrefix(name, prefix) {
				return true
			}
		}
	}
	return false
}
