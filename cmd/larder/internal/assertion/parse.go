package assertion

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxLength bounds an expression.
const maxLength = 1000

// SyntaxError says where an expression cannot be read, and what should stand there.
type SyntaxError struct {
	Text     string
	Position int // of the first character that is wrong, from 1
	Want     string
}

// Error implements error.
func (e *SyntaxError) Error() string {
	found := "it ends"
	if rest := []rune(e.Text)[min(e.Position-1, utf8.RuneCountInString(e.Text)):]; len(rest) > 0 {
		found = fmt.Sprintf("there is %q", string(rest[:min(12, len(rest))]))
	}
	return fmt.Sprintf("%q, position %d: %s where %s must be", e.Text, e.Position, found, e.Want)
}

var (
	metricPart = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]*(\.[a-z0-9_-]+)*(@[a-z0-9_-]+=[A-Za-z0-9_.%-]+)?`)
	numberPart = regexp.MustCompile(`^-?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?`)
	unitPart   = regexp.MustCompile(`^[A-Za-zµμ]*%?(/[A-Za-z]*)?`)
	// A name may begin with a digit, such as that of a policy: "2q.hit_ratio".
	digitName = regexp.MustCompile(`^[0-9][0-9_-]*[a-z][a-z0-9_-]*\.[a-z]`)
)

// Parse reads METRIC OPERATOR VALUE or METRIC OPERATOR METRIC [* FACTOR]. Blanks are
// allowed around each. An error is a *SyntaxError.
func Parse(text string) (e Expression, err error) {
	if len(text) > maxLength || !utf8.ValidString(text) {
		return e, &SyntaxError{strings.ToValidUTF8(text[:min(len(text), 40)], "?"), 1, fmt.Sprintf("at most %d bytes of valid text", maxLength)}
	}
	p := &parser{text: text, rest: text}
	if e.Metric, err = p.take(metricPart, "the name of a metric, such as aside.p99,"); err != nil {
		return e, err
	}
	if e.Operator, err = p.operator(); err != nil {
		return e, err
	}
	p.blank()
	if c, _ := utf8.DecodeRuneInString(p.rest); c >= 'a' && c <= 'z' || digitName.MatchString(p.rest) {
		err = p.other(&e)
	} else {
		e.Limit, err = p.quantity()
	}
	if err != nil {
		return e, err
	}
	if p.blank(); p.rest != "" {
		want := "the end"
		if e.Other != "" && e.Factor == 1 {
			want = "* and a factor, or the end,"
		}
		return e, p.wrong(want)
	}
	return e, nil
}

type parser struct{ text, rest string }

func (p *parser) blank() { p.rest = strings.TrimLeftFunc(p.rest, unicode.IsSpace) }

func (p *parser) wrong(want string) error {
	return &SyntaxError{p.text, utf8.RuneCountInString(p.text[:len(p.text)-len(p.rest)]) + 1, want}
}

func (p *parser) take(part *regexp.Regexp, want string) (string, error) {
	p.blank()
	s := part.FindString(p.rest)
	if s == "" {
		return "", p.wrong(want)
	}
	p.rest = p.rest[len(s):]
	return s, nil
}

func (p *parser) operator() (Operator, error) {
	p.blank()
	for _, o := range operators {
		if rest, ok := strings.CutPrefix(p.rest, string(o)); ok {
			p.rest = rest
			return o, nil
		}
	}
	return "", p.wrong("one of < <= > >= == !=")
}

// other reads a metric and what it is multiplied by.
func (p *parser) other(e *Expression) (err error) {
	if e.Other, err = p.take(metricPart, "a metric"); err != nil {
		return err
	}
	e.Factor = 1
	p.blank()
	if rest, ok := strings.CutPrefix(p.rest, "*"); ok {
		p.rest = rest
		e.Factor, err = p.number("a factor, such as 0.5,")
	}
	return err
}

func (p *parser) quantity() (q Quantity, err error) {
	if q.Number, err = p.number("a value, such as 2ms or 95%, or the name of a metric"); err != nil {
		return q, err
	}
	before := p.rest
	p.blank()
	unit := unitPart.FindString(p.rest)
	if _, known := units[unit]; !known {
		return q, p.wrong("one of the units " + unitNames)
	}
	if unit == "" {
		p.rest = before
	}
	q.Unit, p.rest = unit, strings.TrimPrefix(p.rest, unit)
	return q, nil
}

func (p *parser) number(want string) (float64, error) {
	p.blank()
	before := p.rest
	s, err := p.take(numberPart, want)
	if err != nil {
		return 0, err
	}
	x, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsInf(x, 0) {
		p.rest = before
		return 0, p.wrong("a number that is not so large")
	}
	return x, nil
}
