package didww

import (
	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/record"
)

// inboundCharges adds the amounts of the services that a Voice IN call used:
// toll-free, forwarding to the public network, metered channels. The reseller's
// charges to its own customers, sub_customer_*, are not among them. A service
// that did not apply has a null amount, and one of 0 charged nothing where
// another did. Seconds are those of the services that charged; rate and increments
// are taken where one did, because there is one of each in a call.
func inboundCharges(facts *cdr.Facts, a *record.Fields) {
	services := []string{"tf_", "trm_", "metered_channels_"}
	var charged []string
	facts.Cost, charged = add(a, a.Decimal, services, "amount")
	facts.ChargedSec, _ = add(a, a.Seconds, charged, "duration")
	if len(charged) == 1 {
		facts.Rate = a.Decimal(charged[0] + "rate")
		facts.FirstIncrement = a.Int(charged[0] + "initial_interval")
		facts.NextIncrement = a.Int(charged[0] + "next_interval")
	}
}

// add reads a field of several services, adds them and returns which had more
// than 0, else which had one. Null counts as 0, but only nulls make null. A field
// that cannot be read makes the whole unknown: a sum without it would be too low.
func add(a *record.Fields, read func(...string) cdr.Amount, services []string, field string) (cdr.Amount, []string) {
	var total cdr.Amount
	var given, more []string
	problems := len(a.Problems())
	for _, service := range services {
		amount := read(service + field)
		if !amount.Valid {
			continue
		}
		given = append(given, service)
		if !amount.Decimal.IsZero() {
			more = append(more, service)
		}
		total.Decimal, total.Valid = total.Decimal.Add(amount.Decimal), true
	}
	if len(a.Problems()) > problems {
		return cdr.Amount{}, nil
	}
	if len(more) > 0 {
		given = more
	}
	return total, given
}
