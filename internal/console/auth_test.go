package console

import (
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

func basic(user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

func TestWhoMayLook(t *testing.T) {
	t.Parallel()
	open := Options{Loopback: true}
	world := Options{}
	byUser := Options{User: "ann", Password: "s3cret"}
	byToken := Options{Token: "t0ken"}
	both := Options{User: "ann", Password: "s3cret", Token: "t0ken", Loopback: true}
	for _, c := range []struct {
		name    string
		o       Options
		headers []string
		want    int
	}{
		{"loopback", open, nil, 200},
		{"loopback by address", open, []string{"Host", "127.0.0.1:8080"}, 200},
		{"loopback by IPv6", open, []string{"Host", "[::1]:8080"}, 200},
		{"loopback without port", open, []string{"Host", "LOCALHOST."}, 200},
		{"name pointed at loopback", open, []string{"Host", "evil.example:8080"}, 403},
		{"name that begins like it", open, []string{"Host", "localhost.evil.example"}, 403},
		{"name that begins like its address", open, []string{"Host", "127.0.0.1.evil.example"}, 403},
		{"no host", open, []string{"Host", ""}, 403},
		{"forwarded", open, []string{"X-Forwarded-For", "192.0.2.1"}, 403},
		{"forwarded with an empty header", open, []string{"Forwarded", ""}, 403},
		{"through a tunnel", open, []string{"Cf-Connecting-Ip", "192.0.2.1"}, 403},
		{"via", open, []string{"Via", "1.1 proxy"}, 403},
		{"not on loopback, no credential", world, nil, 403},
		{"user", byUser, []string{"Authorization", basic("ann", "s3cret")}, 200},
		{"user from afar", byUser, []string{"Authorization", basic("ann", "s3cret"), "Host", "cdr.example", "X-Forwarded-For", "192.0.2.1"}, 200},
		{"wrong password", byUser, []string{"Authorization", basic("ann", "s3cre")}, 401},
		{"wrong user", byUser, []string{"Authorization", basic("bob", "s3cret")}, 401},
		{"empty user and password", byUser, []string{"Authorization", basic("", "")}, 401},
		{"nothing", byUser, nil, 401},
		{"password as token", byUser, []string{"Authorization", "Bearer s3cret"}, 401},
		{"empty token where there is none", byUser, []string{"Authorization", "Bearer "}, 401},
		{"cookie where there is no token", byUser, []string{"Cookie", cookieName + "=" + newAuth(byUser).cookieValue}, 401},
		{"token", byToken, []string{"Authorization", "bearer t0ken"}, 200},
		{"wrong token", byToken, []string{"Authorization", "Bearer t0kem"}, 401},
		{"token as password", byToken, []string{"Authorization", basic("", "t0ken")}, 401},
		{"cookie", byToken, []string{"Cookie", cookieName + "=" + newAuth(byToken).cookieValue}, 200},
		{"cookie with the token itself", byToken, []string{"Cookie", cookieName + "=t0ken"}, 401},
		{"empty cookie", byToken, []string{"Cookie", cookieName + "="}, 401},
		{"loopback with credentials", both, nil, 401},
		{"either: token", both, []string{"Authorization", "Bearer t0ken"}, 200},
		{"either: user", both, []string{"Authorization", basic("ann", "s3cret")}, 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			console, _ := newConsole(t, func(o *Options) {
				o.User, o.Password, o.Token, o.Loopback = c.o.User, c.o.Password, c.o.Token, c.o.Loopback
			})
			for _, path := range []string{"/", "/calls", "/calls.csv", "/now.json", console.assets.url("console.css"), "/nowhere"} {
				want := c.want
				if path == "/nowhere" && want == 200 {
					want = 404
				}
				p := get(t, console, path, c.headers...)
				if p.status != want {
					t.Errorf("%s: status %d, want %d", path, p.status, want)
				}
				if p.status == 401 && p.header.Get("Www-Authenticate") == "" {
					t.Error("no challenge")
				}
				if p.header.Get("Content-Security-Policy") != policy {
					t.Errorf("%s: policy %q", path, p.header.Get("Content-Security-Policy"))
				}
			}
		})
	}
}

func TestTokenInTheAddress(t *testing.T) {
	t.Parallel()
	c, _ := newConsole(t, func(o *Options) { o.Token = "t0ken+/=" })
	p := get(t, c, "/calls?number=1&token="+url.QueryEscape("t0ken+/=")+"&tz=Asia%2FTokyo")
	if p.status != http.StatusSeeOther || p.header.Get("Location") != "/calls?number=1&tz=Asia%2FTokyo" {
		t.Fatalf("status %d to %q", p.status, p.header.Get("Location"))
	}
	cookie := p.header.Get("Set-Cookie")
	for _, word := range []string{"HttpOnly", "SameSite=Strict", "Path=/"} {
		if !strings.Contains(cookie, word) {
			t.Errorf("no %s in %s", word, cookie)
		}
	}
	if strings.Contains(cookie, "t0ken") || strings.Contains(cookie, "Secure") {
		t.Errorf("cookie %s", cookie)
	}
	value, _, _ := strings.Cut(cookie, ";")
	wantPage(t, get(t, c, "/calls", "Cookie", value))
	if p := get(t, c, "/?token=t0ken%2B%2F%3D", "X-Forwarded-Proto", "https"); !strings.Contains(p.header.Get("Set-Cookie"), "Secure") {
		t.Error("behind TLS the cookie must be secure")
	}
	if p := get(t, c, "//evil.example/?token=t0ken%2B%2F%3D"); p.header.Get("Location") != "/evil.example/" {
		t.Errorf("sent to %q", p.header.Get("Location"))
	}
	// A wrong token, or two, is none, also with a cookie.
	for _, path := range []string{"/?token=wrong", "/?token=", "/?token=wrong&token=t0ken%2B%2F%3D", "/?token=t0ken%2B%2F%3D&token=wrong"} {
		if p := get(t, c, path, "Cookie", value); p.status != 401 || p.header.Get("Set-Cookie") != "" {
			t.Errorf("%s: status %d", path, p.status)
		}
	}
}

// A form counts only with the token of our own page, and not from another site.
func TestForgedForms(t *testing.T) {
	t.Parallel()
	c, _ := newConsole(t, nil)
	reached := 0
	c.post("/test", func(w http.ResponseWriter, _ *http.Request, _ *view) error {
		reached++
		w.WriteHeader(http.StatusNoContent)
		return nil
	})
	good := "form_token=" + c.auth.formValue
	for _, one := range []struct {
		name, form string
		headers    []string
		want       int
	}{
		{"own page", good, []string{"Sec-Fetch-Site", "same-origin", "Origin", "http://localhost:8080"}, 204},
		{"own page, older browser", good, []string{"Origin", "http://localhost:8080"}, 204},
		{"no browser", good, nil, 204},
		{"another site", good, []string{"Sec-Fetch-Site", "cross-site", "Origin", "http://localhost:8080"}, 403},
		{"another port", good, []string{"Sec-Fetch-Site", "same-site"}, 403},
		{"another origin", good, []string{"Origin", "http://evil.example"}, 403},
		{"origin null", good, []string{"Origin", "null"}, 403},
		{"no token", "", []string{"Sec-Fetch-Site", "same-origin"}, 403},
		{"wrong token", "form_token=x", []string{"Sec-Fetch-Site", "same-origin"}, 403},
	} {
		r := httptest.NewRequest(http.MethodPost, "http://localhost:8080/test", strings.NewReader(one.form))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if p := request(t, c, r, one.headers...); p.status != one.want {
			t.Errorf("%s: status %d, want %d", one.name, p.status, one.want)
		}
	}
	r := httptest.NewRequest(http.MethodPost, "http://localhost:8080/test?"+good, nil)
	if p := request(t, c, r); p.status != 403 {
		t.Errorf("the token in the address: status %d", p.status)
	}
	if reached != 3 {
		t.Errorf("%d forms were taken", reached)
	}
	if p := request(t, c, httptest.NewRequest(http.MethodPost, "http://localhost:8080/calls", nil)); p.status == 200 {
		t.Error("a page that changes nothing takes POST")
	}
}

func TestAssets(t *testing.T) {
	t.Parallel()
	c, _ := newConsole(t, nil)
	body := wantPage(t, get(t, c, "/calls")).body
	for _, name := range []string{"console.css", "console.js", "htmx.min.js", "uplot.min.js", "uplot.min.css"} {
		path := c.assets.url(name)
		if path == "" || !strings.Contains(body, `"`+path+`"`) {
			t.Errorf("the page does not load %s (%s)", name, path)
		}
		p := wantPage(t, get(t, c, path))
		if !strings.Contains(p.header.Get("Cache-Control"), "immutable") || p.header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: headers %v", name, p.header)
		}
	}
	for _, path := range []string{"/assets/", "/assets/console.css", "/assets/htmx.LICENSE", "/assets/..%2Fconsole.go"} {
		if p := get(t, c, path); p.status != 404 {
			t.Errorf("%s: status %d", path, p.status)
		}
	}
	if cached := get(t, c, "/calls").header.Get("Cache-Control"); cached != "no-store" {
		t.Errorf("pages may be kept: %s", cached)
	}
}
