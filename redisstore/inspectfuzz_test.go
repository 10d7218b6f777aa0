package redisstore

import (
	"testing"

	"github.com/larder-cache/larder/cache"
	"github.com/redis/go-redis/v9"
)

// Whatever is in Redis, an Inspector says whether it is a hit as a store would find.
func FuzzInspect(f *testing.F) {
	for _, e := range samples() {
		f.Add(string(e.appendBody([]byte(header(kindValue)))), header(kindVersion), int64(0))
	}
	f.Add(header(kindToken), "", int64(0))
	f.Add(header(kindToken)+"the fillthe time1", "x", int64(1))
	f.Add(header(kindQuarantine)+"1the writer's id.", header(kindQuarantine), int64(0))
	f.Add("", "", int64(0))
	rdb := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1"})
	defer rdb.Close()
	look, err := NewInspector(rdb, "shop")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, raw, version string, now int64) {
		env, parsed := parse(raw)
		out := Inspection{Key: "shop:v:users:42", Type: "string", Size: int64(len(raw))}
		versions := map[string]string{}
		v := &view{space: look.space, stars: []string{version}}
		if parsed == nil {
			out.Key = env.key
			for _, s := range env.stamps {
				versions[s.tag] = version
				v.names, v.versions = append(v.names, s.tag), append(v.versions, version)
			}
			v.readT = len(v.names)
		}
		look.judge(&out, raw, version, versions, times{cache.Moment(now), 0, now})
		hit := parsed == nil && v.valid(env.key, env)
		if hit {
			_, expires, _ := env.moments(cache.Moment(now), 0)
			hit = expires > cache.Moment(now)
		}
		if out.Hit() != hit || (out.State == StateValue) != (parsed == nil) {
			t.Errorf("%q with %q: %+v, but a hit is %v", raw, version, out, hit)
		}
		laneOf(0, map[string]string{"tail": raw, "m:" + version: version, "m:x": "12:" + raw}, version, cache.Moment(now))
	})
}
