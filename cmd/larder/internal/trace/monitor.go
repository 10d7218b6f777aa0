package trace

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// Bounds of one command in the output of MONITOR.
const (
	maxKept    = maxLine  // bytes of an argument that are looked at; keys are no longer
	maxCommand = 64 << 20 // bytes of all arguments that are looked at
	maxSkipped = 1000     // names of commands that are counted one by one
	maxShown   = 5        // of these that are shown
)

// argument is one of a command: its first bytes and its whole size.
type argument struct {
	text []byte
	size uint64
}

// monitor reads the output of MONITOR of a Redis server: the time, the database
// and the client, and the quoted command and arguments.
type monitor struct {
	in       *bufio.Reader
	line     int
	cutOff   bool // the last line has no end
	at       float64
	database []byte
	args     []argument
	bounds   []int // of args in kept
	kept     []byte
}

func parseMonitor(r *bufio.Reader, rec *recorder) error {
	rec.timed = true
	m := &monitor{in: r}
	c := newCommands(rec)
	for {
		err := m.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		if err := c.run(m); err != nil {
			return err
		}
	}
	if m.cutOff {
		rec.doubt("its last line is cut off and left out")
	}
	c.finish()
	return nil
}

func (m *monitor) fault(problem string, args ...any) *Error {
	return fault("mend the line or name another --format", "line %d "+problem, append([]any{m.line}, args...)...)
}

// next reads the next command. The error after the last is io.EOF.
func (m *monitor) next() error {
	m.line++
	head, err := m.in.ReadSlice('[')
	// What redis-cli says first, and empty lines.
	for {
		line, rest, ok := bytes.Cut(head, []byte("\n"))
		if text := bytes.TrimSpace(line); !ok || len(text) > 0 && string(text) != "OK" {
			break
		}
		m.line++
		head = rest
	}
	switch text := bytes.TrimSpace(head); {
	case err == io.EOF && (len(text) == 0 || string(text) == "OK"):
		return io.EOF
	case err == io.EOF && isNumber(text):
		m.cutOff = true
		return io.EOF
	case err == bufio.ErrBufferFull || err == io.EOF:
		return m.fault("is no output of MONITOR: %s", excerpt(text))
	case err != nil:
		return err
	}
	if err := m.stamp(head[:len(head)-1]); err != nil {
		return err
	}
	err = m.command()
	if err == io.ErrUnexpectedEOF {
		m.cutOff = true
		return io.EOF
	}
	return err
}

func isNumber(s []byte) bool {
	_, ok := seconds(s)
	return ok
}

// stamp reads the time before the bracket and the database behind it.
func (m *monitor) stamp(head []byte) error {
	text := bytes.TrimSpace(head)
	whole, fraction, _ := bytes.Cut(text, []byte("."))
	at, ok := decimal(whole)
	if !ok || !isNumber(text) || at >= 1<<40 {
		return m.fault("does not begin with the time of a command: %s", excerpt(head))
	}
	m.at = float64(at)
	for place := 0.1; len(fraction) > 0; fraction = fraction[1:] {
		m.at += float64(fraction[0]-'0') * place
		place /= 10
	}
	client, err := m.in.ReadSlice(']')
	if err == io.EOF {
		m.cutOff = true
		return io.EOF
	}
	if err == bufio.ErrBufferFull || bytes.IndexByte(client, '\n') >= 0 {
		return m.fault("does not name the client in brackets")
	}
	if err != nil {
		return err
	}
	database, _, _ := bytes.Cut(client, []byte(" "))
	if _, ok := decimal(database); !ok {
		return m.fault("does not name the database in brackets: %s", excerpt(client))
	}
	m.database = append(m.database[:0], database...)
	return nil
}

// command reads the arguments to the end of the line. If that is missing it
// returns io.ErrUnexpectedEOF.
func (m *monitor) command() error {
	m.kept, m.bounds, m.args = m.kept[:0], append(m.bounds[:0], 0), m.args[:0]
	for {
		c, err := m.in.ReadByte()
		switch {
		case err == io.EOF && len(m.args) == 0:
			return io.ErrUnexpectedEOF
		case err == io.EOF, err == nil && c == '\n':
			for i := range m.args {
				m.args[i].text = m.kept[m.bounds[i]:m.bounds[i+1]]
			}
			return nil
		case err != nil:
			return err
		case c == ' ' || c == '\r':
		case c == '"':
			size, err := m.quoted()
			if err != nil {
				return err
			}
			m.args = append(m.args, argument{size: size})
			m.bounds = append(m.bounds, len(m.kept))
		default:
			return m.fault("has %q where an argument in quotation marks should be", c)
		}
	}
}

// quoted reads an argument after its first quotation mark and keeps its first
// bytes. It returns the size of the whole.
func (m *monitor) quoted() (size uint64, err error) {
	for {
		c, err := m.in.ReadByte()
		switch {
		case err == io.EOF:
			return 0, io.ErrUnexpectedEOF
		case err != nil:
			return 0, err
		case c == '"':
			return size, nil
		case c == '\n':
			return 0, m.fault("ends inside of quotation marks")
		case c == '\\':
			if c, err = m.escaped(); err != nil {
				return 0, err
			}
		}
		if size < maxKept {
			if len(m.kept) >= maxCommand {
				return 0, m.fault("has a command of more than %d bytes", maxCommand)
			}
			m.kept = append(m.kept, c)
		}
		size++
	}
}

// escaped reads the byte that a backslash introduces.
func (m *monitor) escaped() (byte, error) {
	c, err := m.in.ReadByte()
	if err == io.EOF {
		return 0, io.ErrUnexpectedEOF
	}
	if err != nil {
		return 0, err
	}
	switch c {
	case 'n':
		return '\n', nil
	case 'r':
		return '\r', nil
	case 't':
		return '\t', nil
	case 'a':
		return '\a', nil
	case 'b':
		return '\b', nil
	case '\\', '"':
		return c, nil
	case 'x':
		var b byte
		for range 2 {
			c, err := m.in.ReadByte()
			if err == io.EOF {
				return 0, io.ErrUnexpectedEOF
			}
			if err != nil {
				return 0, err
			}
			d := strings.IndexByte("0123456789abcdef", c|0x20)
			if d < 0 || c < '0' {
				return 0, m.fault("has \\x without two hexadecimal digits")
			}
			b = b<<4 | byte(d)
		}
		return b, nil
	}
	return 0, m.fault("has %q after a backslash, which no escape begins with", c)
}

// skipped says which commands were passed over, the most frequent first.
func skipped(counts map[string]int) string {
	all := 0
	names := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		if counts[a] != counts[b] {
			return counts[b] - counts[a]
		}
		return strings.Compare(a, b)
	})
	var shown []string
	for i, name := range names {
		all += counts[name]
		if i < maxShown {
			shown = append(shown, fmt.Sprintf("%s %d", strings.ToUpper(name), counts[name]))
		}
	}
	if len(names) > maxShown {
		shown = append(shown, "others")
	}
	return fmt.Sprintf("%d of its commands are no requests of keys and left out: %s", all, strings.Join(shown, ", "))
}
