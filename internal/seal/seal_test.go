package seal

import (
	"bytes"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

func testVault() *Vault { return New([32]byte{1, 2, 3}) }

var testSalt = []byte("0123456789abcdef")

func TestSealedBytesOpenWithTheirKeyOnly(t *testing.T) {
	v := testVault()
	for _, plain := range [][]byte{nil, {}, {0}, []byte("Ada"), bytes.Repeat([]byte("x"), 1<<20)} {
		sealed, err := v.Seal(testSalt, "raw1.1", plain)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := v.Open(testSalt, sealed); err != nil || !bytes.Equal(got, plain) {
			t.Errorf("Open(Seal(%d bytes)) = %d bytes, %v", len(plain), len(got), err)
		}
		if len(plain) > 1 && bytes.Contains(sealed, plain) {
			t.Errorf("%d sealed bytes hold the plain ones", len(plain))
		}
		otherSalt := []byte("0123456789abcdeF")
		for what, open := range map[string]func() ([]byte, error){
			"another installation key": func() ([]byte, error) { return New([32]byte{9}).Open(testSalt, sealed) },
			"another record's salt":    func() ([]byte, error) { return v.Open(otherSalt, sealed) },
			"a changed byte": func() ([]byte, error) {
				b := bytes.Clone(sealed)
				b[len(b)-1] ^= 1
				return v.Open(testSalt, b)
			},
			"a changed nonce": func() ([]byte, error) {
				b := bytes.Clone(sealed)
				b[1] ^= 1
				return v.Open(testSalt, b)
			},
			"a cut end": func() ([]byte, error) { return v.Open(testSalt, sealed[:len(sealed)-1]) },
		} {
			if got, err := open(); err == nil || strings.Contains(err.Error(), "Ada") {
				t.Errorf("%d bytes open with %s: %d bytes, error %v", len(plain), what, len(got), err)
			}
		}
	}
}

func TestErasedSaltSaysSo(t *testing.T) {
	v := testVault()
	sealed, err := v.Seal(testSalt, "p", []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	for _, salt := range [][]byte{nil, {}, testSalt[:15]} {
		if _, err := v.Open(salt, sealed); !errors.Is(err, ErrErased) {
			t.Errorf("Open with a salt of %d bytes = %v, want ErrErased", len(salt), err)
		}
		if _, err := v.Seal(salt, "p", []byte("x")); !errors.Is(err, ErrErased) {
			t.Errorf("Seal with a salt of %d bytes = %v, want ErrErased", len(salt), err)
		}
	}
	if got, err := v.Open(nil, nil); got != nil || err != nil {
		t.Errorf("Open of nothing = %q, %v, want nothing", got, err)
	}
}

func TestUnknownFormatsAreRefused(t *testing.T) {
	for _, sealed := range [][]byte{{1}, {0, 1, 2}, bytes.Repeat([]byte{2}, 40), bytes.Repeat([]byte{1}, 12)} {
		if _, err := testVault().Open(testSalt, sealed); err == nil {
			t.Errorf("Open(%x) succeeded", sealed)
		}
	}
}

// TestAnchorsStandForEver holds values that stores already carry: if one
// changes here, every golden id changes there.
func TestAnchorsStandForEver(t *testing.T) {
	v := testVault()
	for _, tt := range []struct{ source, entity, id, want string }{
		{"crm", "company", "1", "bnypuf8ewy42egqd"},
		{"crm", "company", "2", "ube8stuty4uxnjbm"},
		{"crm", "person", "1", "s5ms2dyjgkp6h4cy"},
		{"crmc", "ompany", "1", "v4ecxertgtat4mbm"},
		{"", "", "", "mvnb81t5vwvn9puu"},
		{"客户系统", "company", "宁波", "2rwj7m7ne2u4pgcg"},
	} {
		if got := v.Anchor(tt.source, tt.entity, tt.id); got != tt.want {
			t.Errorf("Anchor(%q, %q, %q) = %q, want %q", tt.source, tt.entity, tt.id, got, tt.want)
		}
	}
	if got, want := hex.EncodeToString(v.MAC("store")[:8]), "244d24c44b070e78"; got != want {
		t.Errorf("MAC(store) begins %s, want %s", got, want)
	}
	sealed, err := v.Seal(testSalt, "raw1.1", []byte("Ada"))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := hex.EncodeToString(sealed), "01024d547ccba8e3d079a1d5c8a51114d33c855b56561a47131a750d6feb82fa"; got != want {
		t.Errorf("Seal gives %s, want %s", got, want)
	}
}

// TestAnchorsAreTheSameForManyAtOnce: those who ask at once do not write into each
// other's text, and a long one leaves nothing behind.
func TestAnchorsAreTheSameForManyAtOnce(t *testing.T) {
	v, long := testVault(), strings.Repeat("x", 2*mostText)
	want := New([32]byte{1, 2, 3}).MAC(long)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 50 {
				if got := v.Anchor("crm", "company", "1"); got != "bnypuf8ewy42egqd" {
					t.Errorf("Anchor = %q among others, want what it is alone", got)
				}
				if !bytes.Equal(v.MAC(long), want) {
					t.Error("MAC of a long text is another one among others")
				}
			}
		})
	}
	all.Wait()
}

func TestPartsDoNotRunTogether(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		parts := rapid.SliceOf(rapid.StringMatching(`[ab0-9:]{0,4}`))
		a, b := parts.Draw(t, "a"), parts.Draw(t, "b")
		same := len(a) == len(b)
		for i := range a {
			same = same && a[i] == b[i]
		}
		if got := bytes.Equal(testVault().MAC(a...), testVault().MAC(b...)); got != same {
			t.Errorf("MAC(%q) and MAC(%q) are equal: %v, want %v", a, b, got, same)
		}
	})
}

// TestSealNeverRepeatsANonce seals different texts and places under few salts:
// what is equal seals to equal bytes, what differs has another nonce.
func TestSealNeverRepeatsANonce(t *testing.T) {
	v := testVault()
	rapid.Check(t, func(t *rapid.T) {
		type input struct{ salt, place, plain string }
		seen := map[string]input{} // salt and nonce → what was sealed
		for range rapid.IntRange(2, 40).Draw(t, "n") {
			in := input{
				salt:  rapid.SampledFrom([]string{string(testSalt), "fedcba9876543210"}).Draw(t, "salt"),
				place: rapid.StringMatching(`[a-c]{1,2}`).Draw(t, "place"),
				plain: rapid.StringN(0, 4, -1).Draw(t, "plain"),
			}
			first, err := v.Seal([]byte(in.salt), in.place, []byte(in.plain))
			if err != nil {
				t.Fatal(err)
			}
			second, _ := v.Seal([]byte(in.salt), in.place, []byte(in.plain))
			if !bytes.Equal(first, second) {
				t.Fatalf("Seal(%q) is not deterministic", in)
			}
			key := in.salt + string(first[1:13])
			if was, ok := seen[key]; ok && was != in {
				t.Fatalf("one nonce for %q and %q", was, in)
			}
			seen[key] = in
			if got, err := v.Open([]byte(in.salt), first); err != nil || string(got) != in.plain {
				t.Fatalf("Open(Seal(%q)) = %q, %v", in.plain, got, err)
			}
		}
	})
}

func TestKeyFileIsMadeOnce(t *testing.T) {
	dir := t.TempDir()
	calls := 0
	random := func(p []byte) {
		calls++
		for i := range p {
			p[i] = byte(i + calls)
		}
	}
	first, err := Open(dir, random)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "installation.key")
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("the key file has mode %o, want 600", info.Mode().Perm())
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if want := "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20\n"; string(text) != want {
		t.Errorf("the key file holds %q, want %q", text, want)
	}
	second, err := Open(dir, random)
	if err != nil {
		t.Fatal(err)
	}
	if calls != 1 || first.Anchor("a", "b", "c") != second.Anchor("a", "b", "c") {
		t.Errorf("opening again made another key (%d calls for randomness)", calls)
	}
	if left, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(left) != 1 {
		t.Errorf("files in the folder: %q, %v, want the key alone", left, err)
	}
}

func TestBadKeyFilesAreRefused(t *testing.T) {
	never := func([]byte) { t.Error("a new key was made in place of a broken one") }
	for name, text := range map[string]string{
		"empty": "", "short": "0102", "no hex": strings.Repeat("zz", 32), "long": strings.Repeat("01", 33), "two lines": strings.Repeat("01", 16) + "\n" + strings.Repeat("01", 16),
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, "installation.key")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Open(dir, never)
		if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "backup") {
			t.Errorf("Open with a key file that is %s = %v: want the file named and what to do", name, err)
		}
		if text != "" && err != nil && strings.Contains(err.Error(), text) {
			t.Errorf("the error of a key file that is %s shows its content", name)
		}
	}
	if _, err := Open(filepath.Join(t.TempDir(), "none"), func([]byte) {}); err == nil {
		t.Error("Open in a folder that is not there succeeded")
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "installation.key"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir, never); err == nil {
		t.Error("Open with a folder in place of the key file succeeded")
	}
}
