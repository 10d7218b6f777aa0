package redisstore

import (
	"time"

	"github.com/larder-cache/larder/cache"
)

// Verdict says how a need of a space is met.
type Verdict string

// The verdicts.
const (
	VerdictOK      Verdict = "ok"
	VerdictWarning Verdict = "warning" // no promise is broken today, but read it
	VerdictProblem Verdict = "problem" // a promise does not hold, or what a cache is for is lost
	VerdictUnknown Verdict = "unknown" // it could not be tried
)

// Finding is what Check has found of one need.
type Finding struct {
	// Need is what was tried, such as "command PUBLISH".
	Need string `json:"need"`
	// Node is the address of the server, in a cluster.
	Node    string  `json:"node,omitempty"`
	Verdict Verdict `json:"verdict"`
	// Detail is what was found, such as a version or a time.
	Detail string `json:"detail,omitempty"`
	// Problem says what does not hold and what to do. It is nil if the verdict is ok.
	Problem *cache.Problem `json:"problem,omitempty"`
}

// CheckReport is what Check has found.
type CheckReport struct {
	Space string `json:"space"`
	// Lanes is 1 for a single server, and 16 in a cluster.
	Lanes int           `json:"lanes"`
	At    time.Time     `json:"at"`
	Took  time.Duration `json:"took_ns"`
	// Rights are the least rights of a user of the space, as ACL SETUSER takes them.
	Rights   string    `json:"rights"`
	Findings []Finding `json:"findings"`
}

// OK reports whether there is no problem.
func (r CheckReport) OK() bool { return len(r.Problems()) == 0 }

// Problems returns the problems, without the warnings.
func (r CheckReport) Problems() (out []cache.Problem) {
	for _, f := range r.Findings {
		if f.Verdict == VerdictProblem {
			out = append(out, *f.Problem)
		}
	}
	return out
}

// add notes what was found.
func (r *CheckReport) add(node, need string, v Verdict, detail string, p *cache.Problem) {
	r.Findings = append(r.Findings, Finding{need, node, v, detail, p})
}

func (r *CheckReport) ok(node, need, detail string) { r.add(node, need, VerdictOK, detail, nil) }

func (r *CheckReport) problem(node, need string, p cache.Problem) {
	r.add(node, need, VerdictProblem, "", &p)
}

func (r *CheckReport) warn(node, need, detail string, p cache.Problem) {
	r.add(node, need, VerdictWarning, detail, &p)
}

// unknown notes that a need could not be tried, and why.
func (r *CheckReport) unknown(node, need, why string) { r.add(node, need, VerdictUnknown, why, nil) }
