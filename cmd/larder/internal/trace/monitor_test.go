package trace

import (
	"bufio"
	"fmt"
	"strings"
	"testing"
)

// monitored reads commands as MONITOR shows them, one a second from the second 0.
func monitored(t *testing.T, commands ...string) *Trace {
	t.Helper()
	var b strings.Builder
	for i, c := range commands {
		fmt.Fprintf(&b, "%d.000000 [0 127.0.0.1:5000]", 1_700_000_000+i)
		for word := range strings.FieldsSeq(c) {
			fmt.Fprintf(&b, " %q", word)
		}
		b.WriteByte('\n')
	}
	tr, err := readBytes([]byte(b.String()), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if tr.Format != Monitor {
		t.Fatalf("recognised as %s", tr.Format)
	}
	return tr
}

func TestCommandsOfRedisBecomeRequests(t *testing.T) {
	const doubt = "no requests of keys"
	for _, c := range []struct {
		commands string // separated by ;
		ids      []uint32
		ops      []Op
		sizes    []uint32
		ttls     []uint32
		doubt    string
	}{
		{"SET k 1234", []uint32{0}, []Op{Write}, []uint32{5}, nil, ""},
		{"SET k 1 NX PX 1001", []uint32{0}, []Op{Write}, []uint32{2}, []uint32{2}, ""},
		{"SET k 1 exat 1700000060", []uint32{0}, []Op{Write}, []uint32{2}, []uint32{60}, ""},
		{"SET k 1 PXAT 1700000060500 GET", []uint32{0}, []Op{Write}, []uint32{2}, []uint32{61}, ""},
		{"SET k 1 EXAT 5", []uint32{0}, []Op{Write}, []uint32{2}, nil, ""},
		{"SET k 1 KEEPTTL", []uint32{0}, []Op{Write}, []uint32{2}, nil, ""},
		{"SET k EX EX 9", []uint32{0}, []Op{Write}, []uint32{3}, []uint32{9}, ""},
		{"SETNX k 12;SETEX k 60 123;GET k", []uint32{0, 0, 0}, []Op{Write, Write, Read}, []uint32{3, 4, 4}, []uint32{0, 60, 0}, ""},
		{"GET k;SET k 12;GET k", []uint32{0, 0, 0}, []Op{Read, Write, Read}, []uint32{3, 3, 3}, nil, ""},
		{"GET k;SET k 12;SET k 1234;GET k", []uint32{0, 0, 0, 0}, []Op{Read, Write, Write, Read}, []uint32{3, 3, 5, 5}, nil, ""},
		{"MSET a 1 b 22 c", []uint32{0, 1}, []Op{Write, Write}, []uint32{2, 3}, nil, ""},
		{"EXISTS a b a", []uint32{0, 1, 0}, nil, nil, nil, ""},
		{"OBJECT ENCODING a;TYPE a", []uint32{0, 0}, nil, nil, nil, ""},
		{"SET k 1;EXPIRE k 60 NX", []uint32{0}, []Op{Write}, []uint32{2}, []uint32{60}, ""},
		{"SET k 1;PEXPIREAT k 1700000011000", []uint32{0}, []Op{Write}, []uint32{2}, []uint32{10}, ""},
		{"SET k 1;EXPIRE k 0;GET k", []uint32{0, 0, 0}, []Op{Write, Delete, Read}, []uint32{2, 2, 2}, nil, ""},
		{"SET k 1;EXPIRE k -1", []uint32{0, 0}, []Op{Write, Delete}, []uint32{2, 2}, nil, ""},
		{"SET k 1;EXPIREAT k 1700000000", []uint32{0, 0}, []Op{Write, Delete}, []uint32{2, 2}, nil, ""},
		{"SET k 1;DEL k j;EXPIRE k 5", []uint32{0, 0, 1}, []Op{Write, Delete, Delete}, []uint32{2, 2, 0}, nil, ""},
		{"GET k;EXPIRE k 5;EXPIRE other 5", []uint32{0}, nil, nil, nil, ""},
		{"SET k 1;GETEX k EX 7", []uint32{0, 0}, []Op{Write, Read}, []uint32{2, 2}, []uint32{0, 7}, ""},
		{"GETEX k PERSIST", []uint32{0}, nil, nil, nil, ""},
		{"LPUSH l x;LRANGE l 0 -1;lpop l", []uint32{0, 0, 0}, []Op{Write, Read, Write}, nil, nil, ""},
		{"SET k 1;APPEND k 234;GET k", []uint32{0, 0, 0}, []Op{Write, Write, Read}, []uint32{2, 2, 2}, nil, ""},
		{"GET k;SET k;EXPIRE k;GETEX;FLUSHALL;MULTI", []uint32{0}, nil, nil, nil, doubt},
	} {
		t.Run(c.commands, func(t *testing.T) {
			tr := monitored(t, strings.Split(c.commands, ";")...)
			checkTrace(t, tr, c.ids)
			checkColumn(t, "operations", tr.Ops, c.ops)
			checkColumn(t, "sizes", tr.Sizes, c.sizes)
			checkColumn(t, "TTLs", tr.TTLs, c.ttls)
			if said := strings.Join(tr.Doubts, ""); !strings.Contains(said, c.doubt) || c.doubt == "" && said != "" {
				t.Errorf("doubts are %q, want %q", said, c.doubt)
			}
		})
	}
}

func TestSkippedCommandsAreNamedByNumber(t *testing.T) {
	tr := monitored(t, "GET k", "PING", "A", "B", "C", "C", "D", "E", "F", "PING", "PING")
	want := "10 of its commands are no requests of keys and left out: PING 3, C 2, A 1, B 1, D 1, others"
	if len(tr.Doubts) != 1 || tr.Doubts[0] != want {
		t.Errorf("doubts are %q, want %q", tr.Doubts, want)
	}
}

func TestHostileNamesOfCommandsAreNotShown(t *testing.T) {
	const name = `1.5 [0 a:1] "\x1b[2J\n"` + "\n"
	tr, err := readBytes([]byte("1.5 [0 a:1] \"GET\" \"k\"\n"+name+name), Options{})
	if err != nil || len(tr.Doubts) != 1 || !strings.HasSuffix(tr.Doubts[0], ": ? 2") {
		t.Errorf("%v, doubts %q", err, tr.Doubts)
	}
}

func TestDatabasesHaveKeysOfTheirOwn(t *testing.T) {
	tr, err := readBytes([]byte("1.5 [0 a:1] \"GET\" \"k\"\n1.5 [1 a:1] \"GET\" \"k\"\n1.5 [0 a:2] \"GET\" \"k\"\n"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	checkTrace(t, tr, []uint32{0, 1, 0})
}

func TestBigValuesAreMeasured(t *testing.T) {
	const n = 300_000 // more than what recognition looks at
	tr := monitored(t, "SET k "+strings.Repeat("v", n)+" EX 60", "GET k")
	checkColumn(t, "sizes", tr.Sizes, []uint32{n + 1, n + 1})
	checkColumn(t, "TTLs", tr.TTLs, []uint32{60, 0})
}

func TestOfBigValuesOnlyTheBeginIsKept(t *testing.T) {
	m := &monitor{in: bufio.NewReader(strings.NewReader(`1.5 [0 a:1] "SET" "k" "` + strings.Repeat("v", 3*maxKept) + "\"\n"))}
	if err := m.next(); err != nil || len(m.kept) != len("SETk")+maxKept || m.args[2].size != 3*maxKept {
		t.Errorf("%d bytes are kept, %v", len(m.kept), err)
	}
}

func TestEscapesOfMonitor(t *testing.T) {
	for escape, b := range map[string]byte{`\n`: '\n', `\r`: '\r', `\t`: '\t', `\a`: '\a', `\b`: '\b', `\\`: '\\', `\"`: '"', `\xfF`: 0xff} {
		text := fmt.Sprintf("1.5 [0 a:1] \"GET\" \"%s\"\n1.5 [0 a:1] \"GET\" \"\\x%02x\"\n1.5 [0 a:1] \"GET\" \"\\x00\"\n", escape, b)
		tr, err := readBytes([]byte(text), Options{})
		if err != nil {
			t.Fatal(err)
		}
		checkTrace(t, tr, []uint32{0, 0, 1})
	}
}

func TestEveryCutOfMonitorIsRead(t *testing.T) {
	const whole = "OK\n1700000000.5 [0 a:1] \"GET\" \"k\"\r\n1700000001.5 [0 a:1] \"MGET\" \"k\" \"\\x00\\n\"\r\n"
	first := strings.Index(whole, "\r\n") + 1
	for n := first; n < len(whole); n++ {
		tr, err := readBytes([]byte(whole[:n]), Options{Format: Monitor})
		if err != nil {
			t.Fatalf("%q: %v", whole[:n], err)
		}
		if got := len(tr.IDs); got < 1 || got > 3 {
			t.Errorf("%q has %d requests", whole[:n], got)
		}
	}
}
