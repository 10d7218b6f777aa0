// Package assertion reads expressions such as "aside.p99 < 2ms", and holds the figures of
// a run against them.
package assertion

import (
	"fmt"
	"strconv"
)

// Expression is what a figure must be like.
type Expression struct {
	Metric   string
	Operator Operator
	// Limit is what the metric is compared with, unless Other is set.
	Limit Quantity
	// Other is a metric of the same run that it is compared with, after that was
	// multiplied by Factor.
	Other  string
	Factor float64
}

// String writes the expression as Parse reads it.
func (e Expression) String() string {
	right := e.Limit.String()
	if e.Other != "" {
		right = e.Other
		if e.Factor != 1 {
			right += " * " + number(e.Factor)
		}
	}
	return fmt.Sprintf("%s %s %s", e.Metric, e.Operator, right)
}

// Operator compares two figures.
type Operator string

// The operators.
const (
	Less     Operator = "<"
	AtMost   Operator = "<="
	More     Operator = ">"
	AtLeast  Operator = ">="
	Equal    Operator = "=="
	NotEqual Operator = "!="
)

// operators are all of them, those first that begin like another.
var operators = []Operator{AtMost, AtLeast, Equal, NotEqual, Less, More}

func (o Operator) holds(x, y float64) bool {
	switch o {
	case Less:
		return x < y
	case AtMost:
		return x <= y
	case More:
		return x > y
	case AtLeast:
		return x >= y
	case Equal:
		return x == y
	}
	return x != y
}

// Quantity is a number and its unit as it was written.
type Quantity struct {
	Number float64
	Unit   string
}

// String writes the quantity as Parse reads it.
func (q Quantity) String() string { return number(q.Number) + q.Unit }

func number(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }
