package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
)

// experiment is one question that the bench answers.
type experiment struct {
	name, what string
	run        func(context.Context, *bench) error
}

func experiments() []experiment {
	return []experiment{
		{"mixed", "deliveries of all providers over HTTP, each answered after its commit", mixedRounds},
		{"slow", "the same, with a disk whose sync takes 2 ms longer", slowRounds},
		{"pace", "deliveries at half of the receiver's peak rate, however fast the answers come", paceRounds},
		{"retries", "deliveries that come for the first time, and all of them again", retryRounds},
		{"memory", "what the receiver holds at 1,000 connections", memoryRounds},
		{"batches", "requests of 1,000 CDRs of DIDWW; the store without HTTP; COPY of the same rows", batchRounds},
		{"ceilings", "the HTTP server without a database, and the disk", ceilingRounds},
	}
}

// levels are the numbers of connections.
func levels() []int { return []int{1, 16, 64, 256} }

// enough is more traffic than any target gets through in a time.
func (b *bench) enough(connections int) int {
	perSecond := 30_000.0
	if connections == 1 {
		perSecond = 8_000
	}
	return int(b.o.seconds * perSecond)
}

// fewRounds are for what is beside the main question.
func (b *bench) fewRounds() int { return (b.o.rounds + 1) / 2 }

// warmUp fills caches and prepares statements.
func (b *bench) warmUp(ctx context.Context, all ...*target) error {
	t := mixed(b.newSeed(), 3000)
	for _, one := range all {
		if _, err := b.run(ctx, "warm-up", one, t, plan{connections: 16}); err != nil {
			return err
		}
	}
	return nil
}

// interleave measures the targets one after another with the same traffic, in
// alternating order, and keeps the sum of each one's rounds.
func (b *bench) interleave(ctx context.Context, kind string, rounds int, p plan, next func() traffic, all ...*target) error {
	sums := make([]round, len(all))
	for n := range rounds {
		t := next()
		for i := range all {
			if n%2 == 1 {
				i = len(all) - 1 - i
			}
			r, err := b.run(ctx, kind, all[i], t, p)
			if err != nil {
				return err
			}
			if n == 0 {
				sums[i] = r
			} else {
				sums[i] = add(sums[i], r, n+1)
			}
		}
	}
	b.results.Rounds = append(b.results.Rounds, sums...)
	return nil
}

func mixedRounds(ctx context.Context, b *bench) error { return b.sideBySide(ctx, "mixed", b.o.rounds) }

// sideBySide compares the receiver and its opponent at every number of
// connections.
func (b *bench) sideBySide(ctx context.Context, kind string, rounds int) error {
	t, err := b.start(ctx)
	if err != nil {
		return err
	}
	defer t.stop()
	if err := b.warmUp(ctx, t.receiver, t.byHand); err != nil {
		return err
	}
	for _, connections := range levels() {
		next := func() traffic { return mixed(b.newSeed(), b.enough(connections)) }
		p := plan{connections: connections, atMost: b.o.duration()}
		if err := b.interleave(ctx, kind, rounds, p, next, t.receiver, t.byHand); err != nil {
			return err
		}
	}
	return b.checkBoth(ctx, t)
}

func slowRounds(ctx context.Context, b *bench) error {
	library, err := b.slowSync(ctx)
	if errors.Is(err, exec.ErrNotFound) {
		b.say("not measured: %v", err)
		return nil
	}
	if err != nil {
		return err
	}
	slow := *b
	if err := slow.startPostgres(ctx, "slow", library); err != nil {
		return err
	}
	defer slow.stopPostgres()
	err = slow.sideBySide(ctx, "slow", b.fewRounds())
	b.seed, b.results = slow.seed, slow.results
	return err
}

// paceRounds sends at half of the rate that was just reached with 64 connections,
// found anew for each round: a machine that others use too is faster and slower
// by the minute, and half of a peak of other times is another load.
func paceRounds(ctx context.Context, b *bench) error {
	const connections = 64
	to, err := b.startReceiver(ctx)
	if err != nil {
		return err
	}
	defer to.stop()
	if err := b.warmUp(ctx, to); err != nil {
		return err
	}
	var sum round
	for n := range b.o.rounds {
		peak, err := b.run(ctx, "peak", to, mixed(b.newSeed(), b.enough(connections)), plan{connections: connections, atMost: b.o.duration()})
		if err != nil {
			return err
		}
		rate := peak.perSecond() / 2
		r, err := b.run(ctx, "pace", to, mixed(b.newSeed(), int(rate*b.o.seconds)), plan{connections: connections, rate: rate})
		if err != nil {
			return err
		}
		if n == 0 {
			sum = r
		} else {
			sum = add(sum, r, n+1)
		}
	}
	b.results.Rounds = append(b.results.Rounds, sum)
	return b.stopAndCheck(ctx, to)
}

func retryRounds(ctx context.Context, b *bench) error {
	to, err := b.startReceiver(ctx)
	if err != nil {
		return err
	}
	defer to.stop()
	if err := b.warmUp(ctx, to); err != nil {
		return err
	}
	t := mixed(b.newSeed(), 5*b.enough(64)/2).once()
	for _, kind := range []string{"first", "again"} {
		r, err := b.run(ctx, kind, to, t, plan{connections: 64})
		if err != nil {
			return err
		}
		b.results.Rounds = append(b.results.Rounds, r)
	}
	return b.stopAndCheck(ctx, to)
}

func memoryRounds(ctx context.Context, b *bench) error {
	to, err := b.startReceiver(ctx)
	if err != nil {
		return err
	}
	defer to.stop()
	t := mixed(b.newSeed(), b.enough(1000))
	if _, err := b.run(ctx, "memory", to, t, plan{connections: 1000, atMost: b.o.duration()}); err != nil {
		return err
	}
	held, err := residentMemory(ctx, to.pid())
	if err != nil {
		return err
	}
	b.results.Memory = held
	b.say("the receiver holds %d MB", held>>20)
	return b.stopAndCheck(ctx, to)
}

func ceilingRounds(ctx context.Context, b *bench) error {
	parse, err := b.self(ctx, roleParse, "")
	if err != nil {
		return err
	}
	defer parse.stop()
	for _, connections := range levels() {
		next := func() traffic { return mixed(b.newSeed(), b.enough(connections)) }
		if err := b.interleave(ctx, "no-db", 1, plan{connections: connections, atMost: b.o.duration()}, next, parse); err != nil {
			return err
		}
	}
	b.results.Syncs, err = b.syncRate(ctx)
	if err != nil {
		return fmt.Errorf("sync the disk: %w", err)
	}
	b.say("the disk syncs %.0f times a second", b.results.Syncs)
	return nil
}
