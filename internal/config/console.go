package config

import (
	"errors"
	"fmt"
	"strings"
)

// Console says where the web console is and who may look.
type Console struct {
	On       bool
	Listen   string // host:port of its own; empty: on the receiver's port
	User     string // basic auth; empty: none
	Password string
	Token    string // empty: none
	Mask     bool   // phone numbers are shown without all but their last digits
}

// HasCredential reports whether who looks must know a secret.
func (c Console) HasCredential() bool { return c.User != "" || c.Token != "" }

// ConsoleLoopback reports whether only programs of this machine can reach the
// console.
func (c Config) ConsoleLoopback() bool {
	if c.Console.Listen == "" {
		return c.Loopback()
	}
	return isLoopback(c.Console.Listen)
}

// ConsoleOpen reports whether there is a console: without a credential only on
// loopback.
func (c Config) ConsoleOpen() bool {
	return c.Console.On && (c.Console.HasCredential() || c.ConsoleLoopback())
}

// readConsole reads the settings of the console.
func (c *Config) readConsole(lookup func(string) (string, bool), get func(name, or string) string) error {
	var faults []error
	switch word := get("CDRSTORE_CONSOLE", "on"); word {
	case "on", "off":
		c.Console.On = word == "on"
	default:
		c.Console.On, c.Console.Listen = true, word
		if err := checkAddress("CDRSTORE_CONSOLE", word); err != nil {
			faults = append(faults, fmt.Errorf("%w: write on, off, or an address such as 127.0.0.1:8081", err))
		} else if word == c.Listen {
			faults = append(faults, fmt.Errorf("CDRSTORE_CONSOLE is %s, which is the receiver's own address: write on", word))
		}
	}
	for name, to := range map[string]*string{
		"CDRSTORE_CONSOLE_USER": &c.Console.User, "CDRSTORE_CONSOLE_PASSWORD": &c.Console.Password, "CDRSTORE_CONSOLE_TOKEN": &c.Console.Token,
	} {
		value, isSet := lookup(name)
		if !isSet {
			continue
		}
		if err := checkSecret(value); err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", name, err))
		}
		*to = value
	}
	switch word := get("CDRSTORE_CONSOLE_MASK", "off"); word {
	case "on", "off":
		c.Console.Mask = word == "on"
	default:
		faults = append(faults, fmt.Errorf("CDRSTORE_CONSOLE_MASK is %q: on or off", word))
	}
	return errors.Join(append(faults, c.Console.check())...)
}

func (c Console) check() error {
	switch {
	case c.User == "" && c.Password != "":
		return errors.New("CDRSTORE_CONSOLE_PASSWORD is set, and CDRSTORE_CONSOLE_USER is not")
	case c.User != "" && c.Password == "":
		return errors.New("CDRSTORE_CONSOLE_USER is set, and CDRSTORE_CONSOLE_PASSWORD is not")
	case strings.Contains(c.User, ":"):
		return errors.New("CDRSTORE_CONSOLE_USER: must not contain a colon")
	}
	return nil
}
