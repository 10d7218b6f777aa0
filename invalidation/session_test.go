package invalidation

import (
	"reflect"
	"strings"
	"testing"
)

func markAt(lane int, line string, seq uint64) Mark {
	return Mark{Space: "shop", Lane: lane, Line: strings.Repeat(line, lineSize), Seq: seq, Nonce: seq * 3}
}

func TestATokenHasTheLastPlaceOfEachLog(t *testing.T) {
	_, _, control := remoteDomain(t)
	ctx, s := NewSession(t.Context())
	if s.Token() != "" {
		t.Error("a token of nothing")
	}
	control.Note(t.Context(), markAt(0, "x", 1)) // of no session
	control.Note(ctx, markAt(0, "a", 5), markAt(1, "a", 1))
	control.Note(ctx, markAt(0, "a", 4))
	control.Note(ctx, markAt(0, "a", 6), markAt(0, "b", 1))
	got, err := ParseToken(s.Token())
	want := []Mark{markAt(1, "a", 1), markAt(0, "a", 6), markAt(0, "b", 1)}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestAMalformedTokenIsAnError(t *testing.T) {
	for _, token := range []string{"?", "AA", "AQ8", "AQRzaG9w"} {
		if _, err := ParseToken(token); err == nil {
			t.Errorf("%q is taken for a token", token)
		}
	}
}

func FuzzParseToken(f *testing.F) {
	s := &Session{marks: []Mark{markAt(0, "a", 5), markAt(3, "b", 1<<60)}}
	f.Add(s.Token())
	f.Add("")
	f.Fuzz(func(t *testing.T, token string) {
		marks, err := ParseToken(token)
		if err != nil || len(marks) == 0 {
			return
		}
		again, err := ParseToken((&Session{marks: marks}).Token())
		if err != nil || !reflect.DeepEqual(marks, again) {
			t.Fatalf("%+v comes back as %+v, %v", marks, again, err)
		}
	})
}
