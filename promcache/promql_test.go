package promcache_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// selector is a metric in an expression, with what is asked of its labels.
type selector struct {
	name     string
	matchers []matcher
}

type matcher struct{ label, op, value string }

// query is what an expression of PromQL names.
type query struct {
	selectors []selector
	grouping  []string // labels of by, on and the like
	functions []string
}

var (
	promqlToken = regexp.MustCompile(`^(?:(\s+|#[^\n]*)|("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(\[[^\]]*\]|\$\w+|\$\{\w+\}|[0-9][\w.]*)|([a-zA-Z_:][\w:]*)|(=~|!~|!=|==|<=|>=|[-+*/%^<>=(){},]))`)

	promqlFunctions = strings.Fields(`rate increase irate delta histogram_quantile histogram_sum histogram_count clamp_max clamp_min
		max_over_time min_over_time avg_over_time sum_over_time absent label_replace vector scalar time abs ceil floor round sort
		sort_desc changes resets label_values`)
	promqlAggregators = strings.Fields("sum min max avg count topk bottomk quantile group stddev stdvar count_values")
	promqlGroupings   = strings.Fields("by without on ignoring group_left group_right")
	promqlKeywords    = strings.Fields("and or unless bool offset inf nan")
)

// readPromQL returns what an expression names. It knows enough of PromQL to tell
// metrics from labels, functions and keywords, and refuses what it does not know.
// Within label_values, which is Grafana's, names after the metric are labels.
func readPromQL(text string) (q query, err error) {
	var tokens []string
	for rest := text; rest != ""; {
		m := promqlToken.FindStringSubmatch(rest)
		if m == nil {
			return q, fmt.Errorf("what is %.20q?", rest)
		}
		if rest = rest[len(m[0]):]; m[1] == "" {
			tokens = append(tokens, m[0])
		}
	}
	at := func(i int) string {
		if i < len(tokens) {
			return tokens[i]
		}
		return ""
	}
	depth, labelValues := 0, false
	for i := 0; i < len(tokens); i++ {
		word := tokens[i]
		switch {
		case word == "(":
			depth++
		case word == ")":
			if depth--; depth < 0 {
				return q, fmt.Errorf("a ) too many")
			}
		case word == "{":
			return q, fmt.Errorf("a selector without a name")
		case !regexp.MustCompile(`^[a-zA-Z_:]`).MatchString(word) || slices.Contains(promqlKeywords, strings.ToLower(word)):
		case slices.Contains(promqlGroupings, word):
			if at(i+1) != "(" {
				break // group_left needs none
			}
			for i += 2; at(i) != ")"; i++ {
				if at(i) == "" {
					return q, fmt.Errorf("%s( without )", word)
				}
				if at(i) != "," {
					q.grouping = append(q.grouping, at(i))
				}
			}
		case slices.Contains(promqlAggregators, word) && (at(i+1) == "(" || slices.Contains(promqlGroupings, at(i+1))):
		case at(i+1) == "(":
			if !slices.Contains(promqlFunctions, word) {
				return q, fmt.Errorf("what is the function %s?", word)
			}
			q.functions = append(q.functions, word)
			labelValues = word == "label_values"
		case labelValues && len(q.selectors) > 0:
			q.grouping = append(q.grouping, word)
		default:
			s := selector{name: word}
			if at(i+1) == "{" {
				for i += 2; at(i) != "}"; i++ {
					if at(i) == "," {
						continue
					}
					op, value := at(i+1), at(i+2)
					if !slices.Contains([]string{"=", "!=", "=~", "!~"}, op) || len(value) < 2 || !strings.ContainsAny(value[:1], `"'`) {
						return q, fmt.Errorf("what is {%s %s %s}?", at(i), op, value)
					}
					s.matchers = append(s.matchers, matcher{at(i), op, value[1 : len(value)-1]})
					i += 2
				}
			}
			q.selectors = append(q.selectors, s)
		}
	}
	if depth != 0 {
		return q, fmt.Errorf("a ( too many")
	}
	return q, nil
}

func TestExpressionsAreRead(t *testing.T) {
	for text, want := range map[string]string{
		`up`:                       `[{up []}] [] []`,
		`rate(a_total[5m]) > 1e3`:  `[{a_total []}] [] [rate]`,
		`sum by (x, y) (a) / b`:    `[{a []} {b []}] [x y] []`,
		`sum(a) without (z) < 0.5`: `[{a []}] [z] []`,
		`a{x="1", y=~'b|c' , z!~"\"}"} offset 1d and on (x) group_left b`: `[{a [{x = 1} {y =~ b|c} {z !~ \"}}]} {b []}] [x] []`,
		"sum(a) # sum(b)\n or level:c:rate5m":                             `[{a []} {level:c:rate5m []}] [] []`,
		`rate(a{cache=~"$cache"}[$__rate_interval])`:                      `[{a [{cache =~ $cache}]}] [] [rate]`,
		`histogram_quantile(0.9, sum by (le) (rate(a_bucket[${x}])))`:     `[{a_bucket []}] [le] [histogram_quantile rate]`,
		`label_values(a{b="c"}, cache)`:                                   `[{a [{b = c}]}] [cache] [label_values]`,
		`topk(3, sum)`:                                                    `[{sum []}] [] []`, // a metric may be called so
		`{x="1"}`:                                                         ``,
		`rat(a[5m])`:                                                      ``,
		`sum(a`:                                                           ``,
		`sum a)`:                                                          ``,
		`sum by (x`:                                                       ``,
		`a{x}`:                                                            ``,
		`a{x=1}`:                                                          ``,
		`a{x="1`:                                                          ``,
		`a; b`:                                                            ``,
	} {
		q, err := readPromQL(text)
		got := fmt.Sprint(q.selectors, q.grouping, q.functions)
		if (err == nil) != (want != "") || (err == nil && got != want) {
			t.Errorf("%s is read as %s, %v; want %s", text, got, err, want)
		}
	}
}
