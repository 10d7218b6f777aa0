package redisstore

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/redis/go-redis/v9"
)

// master returns a client of the server that has a key.
func (i *Inspector) master(ctx context.Context, key string) (redis.Cmdable, error) {
	c, ok := i.rdb.(*redis.ClusterClient)
	if !ok {
		return i.rdb, nil
	}
	master, err := c.MasterForKey(ctx, key)
	return master, i.unavailable(err)
}

// time returns the time of the server that has a key, in milliseconds.
func (i *Inspector) time(ctx context.Context, key string) (int64, error) {
	rdb, err := i.master(ctx, key)
	if err != nil {
		return 0, err
	}
	now, err := rdb.Time(ctx).Result()
	return now.UnixMilli(), i.unavailable(err)
}

// ahead returns by how much the clock of a lane is ahead of ours, as lua/time.lua would
// have it, but without writing. It costs a round trip.
func (i *Inspector) ahead(ctx context.Context, lane int) (time.Duration, error) {
	key := i.space.laneKey(lane)
	rdb, err := i.master(ctx, key)
	if err != nil {
		return 0, err
	}
	p := rdb.Pipeline()
	clock, server := p.HGet(ctx, key, "clock"), p.Time(ctx)
	sent := time.Now()
	p.Exec(ctx) // each has its own error
	if err := server.Err(); err != nil {
		return 0, i.unavailable(err)
	}
	if err := clock.Err(); err != nil && !redis.HasErrorPrefix(err, "WRONGTYPE") && i.unavailable(err) != nil {
		return 0, i.unavailable(err)
	}
	var l laneTime
	l.heard(laneNow(clock.Val(), cache.Moment(server.Val().UnixMilli())), sent, time.Now())
	return l.known.Load().ahead, nil
}

// laneNow returns the time of a lane whose hash has a field clock, as lua/time.lua has it.
func laneNow(clock string, server cache.Moment) cache.Moment {
	text, over, _ := strings.Cut(clock, ":")
	last, err1 := strconv.ParseInt(text, 10, 64)
	ahead, err2 := strconv.ParseInt(over, 10, 64)
	if err1 != nil || err2 != nil {
		return server
	}
	return max(server+cache.Moment(ahead), cache.Moment(last))
}
