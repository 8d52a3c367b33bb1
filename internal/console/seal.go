package console

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
)

// sealed begins an id in a path that is not written as it is.
const sealed = "~"

// sealer writes texts into URLs. Under masking nobody can read them there: ids of
// calls may hold phone numbers. The same text always looks the same, so that
// pages can be told apart in a history.
type sealer struct {
	mask bool
	key  []byte
	aead cipher.AEAD
}

// newSealer takes its key from the credentials, so that links outlive a restart
// and hold on every receiver with the same ones; without any, from chance.
func newSealer(o Options) (sealer, error) {
	sum := sha256.Sum256([]byte("cdrstore console seal\x00" + o.User + "\x00" + o.Password + "\x00" + o.Token))
	key := sum[:]
	if o.Password == "" && o.Token == "" {
		key = []byte(rand.Text())
		sum = sha256.Sum256(key)
		key = sum[:]
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return sealer{}, fmt.Errorf("console: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return sealer{}, fmt.Errorf("console: %w", err)
	}
	return sealer{o.Mask, key, aead}, nil
}

func (s sealer) seal(text string) string {
	if !s.mask {
		return base64.RawURLEncoding.EncodeToString([]byte(text))
	}
	mac := hmac.New(sha256.New, s.key)
	mac.Write([]byte(text))
	nonce := mac.Sum(nil)[:s.aead.NonceSize()]
	return base64.RawURLEncoding.EncodeToString(s.aead.Seal(nonce, nonce, []byte(text), nil))
}

func (s sealer) open(text string) (string, error) {
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return "", fmt.Errorf("not written here: %w", err)
	}
	if !s.mask {
		return string(raw), nil
	}
	if len(raw) < s.aead.NonceSize() {
		return "", errors.New("not written here")
	}
	opened, err := s.aead.Open(nil, raw[:s.aead.NonceSize()], raw[s.aead.NonceSize():], nil)
	if err != nil {
		return "", fmt.Errorf("not written here, or with other credentials: %w", err)
	}
	return string(opened), nil
}
