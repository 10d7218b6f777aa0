package trace

import (
	"bufio"
	"bytes"
	"io"
)

// csvColumns says which columns of a CSV file with a header are what. A column
// that is not there is -1.
type csvColumns struct {
	separator byte
	fields    int
	guessed   bool // no name says which column the key is
	required  int  // of the columns key, op and size, which CacheLib requires

	key, at, size, keySize, op, ttl, count int
}

// columnNames are the names that a header may use, in small letters.
var columnNames = []struct {
	column func(*csvColumns) *int
	names  []string
}{
	{func(c *csvColumns) *int { return &c.key }, []string{"key", "id", "obj_id", "object_id", "objid", "obj", "object", "item", "item_id", "lbn", "lba", "url"}},
	{func(c *csvColumns) *int { return &c.at }, []string{"time", "timestamp", "ts", "real_time", "clock_time", "op_time"}},
	{func(c *csvColumns) *int { return &c.size }, []string{"size", "obj_size", "object_size", "value_size", "bytes"}},
	{func(c *csvColumns) *int { return &c.keySize }, []string{"key_size"}},
	{func(c *csvColumns) *int { return &c.op }, []string{"op", "operation", "command", "cmd"}},
	{func(c *csvColumns) *int { return &c.ttl }, []string{"ttl"}},
	{func(c *csvColumns) *int { return &c.count }, []string{"op_count"}},
}

// csvHeader reads the first line of a file. It is a header if it has no number
// and names the key, or else the time or the size; then the key is in the
// second column, as is usual in files for libCacheSim.
func csvHeader(line []byte) (c csvColumns, ok bool) {
	line = bytes.TrimSpace(bytes.TrimLeft(bytes.TrimSpace(line), "#"))
	for _, separator := range []byte(",\t;|") {
		if bytes.IndexByte(line, separator) >= 0 {
			c.separator = separator
			break
		}
	}
	if c.separator == 0 {
		return c, false
	}
	for _, n := range columnNames {
		*n.column(&c) = -1
	}
	for i, name := range cut(nil, line, c.separator) {
		name = bytes.ToLower(bare(name))
		if _, number := seconds(name); number {
			return c, false
		}
		c.fields++
		c.name(string(name), i)
	}
	if c.key < 0 && (c.at >= 0 || c.size >= 0) && c.at != 1 && c.size != 1 && c.keySize != 1 && c.op != 1 && c.ttl != 1 {
		c.key, c.guessed = 1, true
	}
	return c, c.key >= 0
}

// name gives a column to what its name says. The first of two with one meaning
// has it.
func (c *csvColumns) name(name string, i int) {
	if name == "key" || name == "op" || name == "size" {
		c.required++
	}
	for _, n := range columnNames {
		for _, known := range n.names {
			if column := n.column(c); known == name && *column < 0 {
				*column = i
			}
		}
	}
}

// cacheLib says whether the columns are those that CacheLib requires.
func (c csvColumns) cacheLib() bool {
	return c.separator == ',' && c.required == 3
}

// bare removes spaces and quotation marks around a field.
func bare(field []byte) []byte {
	field = bytes.TrimSpace(field)
	if n := len(field); n >= 2 && field[0] == '"' && field[n-1] == '"' {
		field = field[1 : n-1]
	}
	return field
}

// parseCSV reads a header and then one request a line, or as many as the column
// op_count says. The size of an object is that of its key, if that has a column,
// and value.
func parseCSV(r *bufio.Reader, rec *recorder) error {
	in := lines{r: r}
	line, err := in.next()
	if err == io.EOF {
		return nil
	}
	if err != nil {
		return err
	}
	c, ok := csvHeader(line)
	if !ok {
		return in.fault("is no header that names the columns, such as \"time,id,size,op,ttl\": %s", excerpt(line))
	}
	if c.guessed {
		rec.doubt("no column is called key or id, so the second one is taken for it")
	}
	rec.timed = c.at >= 0
	var (
		keys   = numberText(rec)
		clock  clock
		fields [][]byte
	)
	return in.each(func(line []byte) error {
		fields = cut(fields[:0], line, c.separator)
		if len(fields) != c.fields {
			return in.fault("has %d columns and not %d as the header: %s", len(fields), c.fields, excerpt(line))
		}
		d, count, bad := c.detail(fields)
		switch {
		case bad != "":
			return in.fault("has %s that cannot be read: %s", bad, excerpt(line))
		case count > maxRun:
			return in.fault("asks for %d requests, more than %d a line", count, maxRun)
		}
		if rec.timed {
			d.at = clock.seconds(rec, d.at)
		}
		for range count {
			if err := keys.detailed(bare(fields[c.key]), d); err != nil {
				return err
			}
		}
		return nil
	})
}

// detail reads all fields but the key. An empty one is 0, and a read. If one
// cannot be read, bad names it.
func (c csvColumns) detail(fields [][]byte) (d detail, count uint64, bad string) {
	count = 1
	var keySize uint64
	for _, f := range []struct {
		column int
		name   string
		into   *uint64
	}{
		{c.at, "a time", &d.at}, {c.size, "a size", &d.size}, {c.keySize, "a size of the key", &keySize},
		{c.ttl, "a TTL", &d.ttl}, {c.count, "an op_count", &count},
	} {
		if f.column < 0 {
			continue
		}
		text := bare(fields[f.column])
		if len(text) == 0 && f.column != c.at {
			continue
		}
		n, ok := seconds(text)
		if !ok {
			return d, 0, f.name
		}
		*f.into = n
	}
	d.size = sum(d.size, keySize)
	if c.op >= 0 {
		if name := bare(fields[c.op]); len(name) > 0 {
			var ok bool
			if d.op, ok = opOfName(name); !ok {
				if d.op, ok = opOfSCSI(name); !ok {
					return d, 0, "an operation"
				}
			}
		}
	}
	return d, count, ""
}

// opOfSCSI returns the operation of a command of SCSI in hexadecimal, by which
// traces of disks name operations.
func opOfSCSI(code []byte) (Op, bool) {
	switch string(bytes.ToLower(code)) {
	case "08", "28", "88", "a8":
		return Read, true
	case "0a", "2a", "8a", "aa":
		return Write, true
	}
	return 0, false
}
