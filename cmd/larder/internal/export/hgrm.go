package export

import (
	"bytes"
	"fmt"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/larder-cache/larder/cmd/larder/internal/results"
)

// Spectrum returns a histogram as the text that the plotters of HDR histograms read, in
// milliseconds. An error names the histogram.
func Spectrum(h results.Histogram) (text []byte, err error) {
	defer func() {
		// The decoder believes what the bytes say of their number.
		if r := recover(); r != nil {
			text, err = nil, fmt.Errorf("the histogram %q is damaged", h.Name)
		}
	}()
	decoded, err := hdrhistogram.Decode([]byte(h.Encoded))
	if err != nil {
		return nil, fmt.Errorf("the histogram %q is damaged: %w", h.Name, err)
	}
	var out bytes.Buffer
	if _, err := decoded.PercentilesPrint(&out, 5, 1e6); err != nil {
		return nil, fmt.Errorf("the histogram %q: %w", h.Name, err)
	}
	return out.Bytes(), nil
}
