package invalidation

import (
	"fmt"
	"os"
	"strings"
)

// PolicyFromEnv returns the Policy that environment variables describe. With the
// prefix LARDER_USERS they are LARDER_USERS_PRESET (ttl, strict or resilient), and
// LARDER_USERS_FRESH, _STALE, _IF_ERROR, _NEGATIVE, _BACKOFF (durations such as 1h30m
// or forever) and _JITTER, _EARLY, _AHEAD (numbers). A preset is made of FRESH, and
// what else is set takes the place of its fields. A variable that is empty is not
// set, and others than these are ignored.
//
// An error names the variables that are wrong. It is one, too, if none is set: the
// zero Policy stores nothing, and is asked for by FRESH=0.
func PolicyFromEnv(prefix string) (Policy, error) { return policyFrom(prefix, os.Getenv) }

func policyFrom(prefix string, get func(string) string) (Policy, error) {
	variables := map[string]string{"Preset": prefix + "_PRESET"}
	given := map[string]string{}
	for _, f := range fields {
		variables[f.name] = prefix + "_" + f.env
		if text := strings.TrimSpace(get(variables[f.name])); text != "" {
			given[f.name] = text
		}
	}
	preset := strings.TrimSpace(get(variables["Preset"]))
	if preset == "" && len(given) == 0 {
		return Policy{}, fmt.Errorf("larder: neither %s nor %s is set", variables["Fresh"], variables["Preset"])
	}
	p, err := compose(preset, given, func(field string) string { return variables[field] })
	if err != nil {
		return Policy{}, fmt.Errorf("larder: %w", err)
	}
	return p, nil
}
