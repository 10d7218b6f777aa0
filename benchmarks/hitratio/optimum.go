package main

import "container/heap"

// optimum counts the hits of a cache that knows what comes: it keeps those entries
// that are asked for soonest (L. Belady, A Study of Replacement Algorithms, 1966),
// and does not store what it would not keep.
func optimum(ids []uint32, keys, capacity int) (hits int) {
	const never = int(^uint(0) >> 1)
	next, last := make([]int, len(ids)), make([]int, keys)
	for i := range last {
		last[i] = never
	}
	for i := len(ids) - 1; i >= 0; i-- {
		next[i], last[ids[i]] = last[ids[i]], i
	}
	due := map[int]bool{} // the next uses of what is stored
	var far latest        // the same, and some that are over
	for i := range ids {
		if due[i] {
			hits++
			delete(due, i)
		}
		if next[i] == never {
			continue
		}
		if len(due) == capacity {
			if next[i] > far[0] {
				continue
			}
			delete(due, heap.Pop(&far).(int))
		}
		due[next[i]] = true
		heap.Push(&far, next[i])
	}
	return hits
}

// latest is a heap of positions, the latest first: those that are over come last.
type latest []int

func (l latest) Len() int           { return len(l) }
func (l latest) Less(i, j int) bool { return l[i] > l[j] }
func (l latest) Swap(i, j int)      { l[i], l[j] = l[j], l[i] }
func (l *latest) Push(x any)        { *l = append(*l, x.(int)) }
func (l *latest) Pop() any {
	x := (*l)[len(*l)-1]
	*l = (*l)[:len(*l)-1]
	return x
}
