package redisstore

import (
	"encoding/binary"
	"strconv"

	"github.com/larder-cache/larder/invalidation"
)

// The keys of a space named ns, with lane n:
//
//	ns:v:store:key      a value, a fill token or a quarantine
//	ns:v:store~:digest  the same of a key that is empty or too long
//	ns:l:store:key      while a value is refreshed ahead of its time: by which fill
//	ns:t:{ns:n}:tag     the version of a tag
//	ns:s:{ns:n}         the version of all entries whose key is in the lane
//	ns:b:{ns:n}         a hash: the tail of the lane's log, the tags that were
//	                    invalidated last, the processes that listen, and the settings
//	ns:c:{ns:n}         the channel of the lane's log; in the database 3 it ends in :3,
//	                    since databases share channels
//	ns:p                nothing, ever: see proof
//
// Names have no colon and the key comes last, so two keys are equal only if all
// their parts are. The braces put a lane's keys in one slot of a cluster.

// refreshKey returns the key under which it says who refreshes a value.
func (s *Space) refreshKey(key string) string { return s.ns + ":l:" + key[len(s.ns)+len(":v:"):] }

func (s *Space) tagKey(tag string) string { return s.tagPrefixes[s.lane(tag)] + tag }
func (s *Space) starKey(lane int) string  { return s.starKeys[lane] }

// makeKeys makes what is in the keys of every read.
func (s *Space) makeKeys() {
	s.proofName = s.proofKey()
	for lane := range s.lanes {
		s.tagPrefixes = append(s.tagPrefixes, s.ns+":t:"+s.hashTag(lane)+":")
		s.starKeys = append(s.starKeys, s.ns+":s:"+s.hashTag(lane))
	}
}

func (s *Space) laneKey(lane int) string { return s.ns + ":b:" + s.hashTag(lane) }
func (s *Space) hashTag(lane int) string { return "{" + s.ns + ":" + strconv.Itoa(lane) + "}" }

// lane returns the lane of a tag or of a value's key. All processes agree on it.
func (s *Space) lane(name string) int {
	if s.lanes == 1 {
		return 0
	}
	return int(invalidation.Hash(name) % uint32(s.lanes))
}

// noteOf returns the hash by which lua/late.lua knows a tag. Another tag with the same hash
// costs a fill, and nothing more.
func noteOf(tag string) string {
	return string(binary.BigEndian.AppendUint32(nil, invalidation.Hash(tag)))
}
