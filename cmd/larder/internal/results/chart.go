package results

import (
	"encoding/json"
	"math"
)

// Chart is a picture as data.
type Chart struct {
	// ID names the files of the pictures: letters, digits and hyphens. No two charts of a
	// document have the same.
	ID    string `json:"id"`
	Title string `json:"title"`
	Note  string `json:"note,omitempty"` // how to read it, in a sentence
	Kind  Kind   `json:"kind"`
	X     Axis   `json:"x"`
	Y     Axis   `json:"y"`
	// Categories are the groups of bars, from left to right. A series has a value of Y for
	// each and no X.
	Categories []string `json:"categories,omitempty"`
	Series     []Series `json:"series,omitempty"`
	Bands      []Band   `json:"bands,omitempty"`
	Heat       *Heat    `json:"heat,omitempty"` // of a heat map, which has no series
}

// Kind says how a chart is drawn.
type Kind string

// The kinds of charts.
const (
	Lines   Kind = "lines"
	Bars    Kind = "bars"
	HeatMap Kind = "heatmap"
)

// Axis is a direction of a chart.
type Axis struct {
	Label string `json:"label"`
	Unit  Unit   `json:"unit"`
	Scale Scale  `json:"scale"`
}

// Scale says how values become places.
type Scale string

// The scales; none is linear. Log has no place for zero and less: such values are not drawn.
const (
	Linear Scale = "linear"
	Log    Scale = "log"
	// Nines is for quantiles from 0 to 1: 0, 0.9, 0.99, 0.999 are equally far from each
	// other. The place of q is -log10(1-q).
	Nines Scale = "nines"
)

// Series is a line, or the bars of one colour.
type Series struct {
	Name string `json:"name"`
	X    Values `json:"x,omitempty"` // rising
	Y    Values `json:"y"`
	// Steps holds a value until the next instead of sloping to it.
	Steps bool `json:"steps,omitempty"`
	// Dashed sets a line apart that the others are compared with.
	Dashed bool `json:"dashed,omitempty"`
}

// Band is a part of the X axis that is shaded, such as the time of a fault.
type Band struct {
	From  float64 `json:"from"`
	To    float64 `json:"to"`
	Label string  `json:"label"`
}

// Heat is how often a value of Y occurred at each X.
type Heat struct {
	X     Values      `json:"x"`     // the left edges of columns, all of one width, and the right edge of the last
	Y     Values      `json:"y"`     // the lower edges of rows, and the upper edge of the last
	Count [][]float64 `json:"count"` // by column, then by row
}

// Values are numbers; NaN, which is a gap, and infinities are null in JSON.
type Values []float64

// MarshalJSON implements json.Marshaler.
func (v Values) MarshalJSON() ([]byte, error) {
	numbers := make([]*float64, len(v))
	for i := range v {
		if !math.IsNaN(v[i]) && !math.IsInf(v[i], 0) {
			numbers[i] = &v[i]
		}
	}
	return json.Marshal(numbers)
}

// UnmarshalJSON implements json.Unmarshaler.
func (v *Values) UnmarshalJSON(data []byte) error {
	var numbers []*float64
	if err := json.Unmarshal(data, &numbers); err != nil {
		return err
	}
	*v = make(Values, len(numbers))
	for i, n := range numbers {
		if (*v)[i] = math.NaN(); n != nil {
			(*v)[i] = *n
		}
	}
	return nil
}
