package outage

import (
	"fmt"
	"time"
)

func (p *Phase) name() string {
	if p.Fault == "" {
		return "healthy"
	}
	return p.Fault
}

func (p *Phase) recovery() string {
	switch {
	case p.Fault == "":
		return ""
	case !p.Recovered:
		return "never"
	}
	return brief(p.Recovery)
}

// percent writes the availability so that 100 % means that nothing was lost.
func percent(lost, of int) string {
	if lost == 0 {
		return "100%"
	}
	return fmt.Sprintf("%.3f%%", min(100*(1-part(lost, of)), 99.999))
}

// brief returns d with three digits.
func brief(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return fmt.Sprintf("%.3g µs", float64(d)/1e3)
	case d < time.Second:
		return fmt.Sprintf("%.3g ms", float64(d)/1e6)
	}
	return fmt.Sprintf("%.3g s", d.Seconds())
}
