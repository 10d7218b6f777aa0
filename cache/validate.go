package cache

import "context"

// Validate asks a fill, for each of its slots, whether nothing was invalidated since
// Reserve on which an answer of the origin may depend that is not stored, such as an
// error: the key, the tags of the slot, those of the entry that was Found and, if the
// slot has LateTags and nothing was Found, any tag at all. A true also says that no
// writer holds the key or one of these tags. It is what a Get that starts when
// Validate is called could rely on.
//
// A store may say false although nothing was invalidated, since it costs no more than
// a load. A fill without a method
//
//	Validate(ctx context.Context) ([]bool, error)
//
// says it always. Unlike the other methods of a fill it may be called after Commit or
// Cancel, and from many goroutines. On a store across a network it costs a round trip.
// After an error every slot is false. The result may be shorter than the slots: the
// rest is false.
func Validate[V any](ctx context.Context, fill Fill[V]) ([]bool, error) {
	v, ok := fill.(validator)
	if !ok {
		return nil, nil
	}
	valid, err := v.Validate(ctx)
	if err != nil {
		return nil, err
	}
	return valid, nil
}

type validator interface {
	Validate(ctx context.Context) ([]bool, error)
}

// Validate is that of l2, through which every invalidation goes first.
func (f *tieredFill[V]) Validate(ctx context.Context) ([]bool, error) {
	if f.f2 == nil { // l2 was not asked, so nothing can be vouched for
		return nil, nil
	}
	return Validate(ctx, f.f2)
}

func (f strictFill[V]) Validate(ctx context.Context) ([]bool, error) { return Validate(ctx, f.Fill) }
