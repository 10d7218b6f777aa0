package redisstore

import "context"

// key is keyOf for keys that have a text.
func (s *Store[K, V]) key(k K) string {
	key, err := s.keyOf(context.Background(), k)
	if err != nil {
		panic(err)
	}
	return key
}
