package trace

import (
	"bufio"
	"bytes"
)

// Requests of WikiBench that are for one reader or editor, and that no cache
// keeps: by the beginning of the path, and by what is anywhere in it.
var (
	wikiPrivate = [][]byte{
		[]byte("wiki/Special:Search"), []byte("wiki/Special:AutoLogin"), []byte("Special:UserLogin"),
		[]byte("wiki/Talk:"), []byte("w/query.php"), []byte("w/api.php"), []byte("error:"),
	}
	wikiChanging = [][]byte{
		[]byte("?search="), []byte("&search="), []byte("&diff="), []byte("&action=rollback"),
		[]byte("User:"), []byte("User_talk"), []byte("User+talk"), []byte("Talk:"), []byte("Special:Watchlist"),
	}
	wikiEscapes = []struct{ from, to []byte }{
		{[]byte("%2F"), []byte("/")}, {[]byte("%3A"), []byte(":")}, {[]byte("&amp;"), []byte("&")},
	}
)

// parseWikiBench reads "counter unix-time URL flag" a line. The flag "save" is a
// write, "-" a read.
func parseWikiBench(r *bufio.Reader, rec *recorder) error {
	rec.timed = true
	keys := numberText(rec)
	in := lines{r: r}
	left := 0
	err := in.each(func(line []byte) error {
		url, d, ok := wikiLine(line)
		if !ok {
			return in.fault("is not \"counter unix-time URL flag\": %s", excerpt(line))
		}
		if !wikiCached(url) {
			left++
			return nil
		}
		return keys.detailed(url, d)
	})
	if err == nil && left > 0 {
		rec.doubt("%d of its lines are left out: searches, talk, users' own pages and calls of the API", left)
	}
	return err
}

func wikiLine(line []byte) (url []byte, d detail, ok bool) {
	counter, rest, _ := bytes.Cut(bytes.TrimSpace(line), []byte(" "))
	at, rest, _ := bytes.Cut(rest, []byte(" "))
	end := bytes.LastIndexByte(rest, ' ')
	if _, ok := decimal(counter); !ok || end <= 0 {
		return nil, d, false
	}
	if d.at, ok = seconds(at); !ok {
		return nil, d, false
	}
	switch string(rest[end+1:]) {
	case "-":
	case "save":
		d.op = Write
	default:
		return nil, d, false
	}
	return rest[:end], d, true
}

// wikiCached says whether a cache of pages would keep what is at url.
func wikiCached(url []byte) bool {
	path := url
	if _, rest, ok := bytes.Cut(url, []byte("://")); ok {
		if _, path, ok = bytes.Cut(rest, []byte("/")); !ok {
			return true
		}
	}
	for _, e := range wikiEscapes {
		path = bytes.ReplaceAll(path, e.from, e.to)
	}
	for _, p := range wikiPrivate {
		if bytes.HasPrefix(path, p) {
			return false
		}
	}
	for _, p := range wikiChanging {
		if bytes.Contains(path, p) {
			return false
		}
	}
	return true
}
