package policy

import "github.com/hashicorp/golang-lru/v2/simplelru"

type lru struct {
	entries *simplelru.LRU[uint32, struct{}]
}

func newLRU(s Setup) (Policy, error) {
	entries, err := simplelru.NewLRU[uint32, struct{}](s.Capacity, nil)
	if err != nil {
		return nil, err
	}
	return &lru{entries}, nil
}

// Name implements Policy.
func (*lru) Name() string { return LRU }

// Access implements Policy.
func (l *lru) Access(id uint32) bool {
	if _, hit := l.entries.Get(id); hit {
		return true
	}
	l.entries.Add(id, struct{}{})
	return false
}
