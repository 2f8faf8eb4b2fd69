package main

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"touchstone/internal/app"
	"touchstone/internal/web"
)

// seesFlags adds the flags that narrow an account.
func seesFlags(cmd *cobra.Command, reach, masks *[]string) {
	cmd.Flags().StringSliceVar(reach, "scope", nil, "only the customers of this scope of the configuration (access.scopes); may be given more than once")
	cmd.Flags().StringSliceVar(masks, "mask", nil, "without the fields of this mask of the configuration (access.masks); may be given more than once")
}

func (c *cli) userSetCmd() *cobra.Command {
	var reach, masks []string
	var all, unmask bool
	cmd := &cobra.Command{
		Use: "set LOGIN", Short: "Say which customers and fields an account sees", Args: args(cobra.ExactArgs(1)),
		Long:    "Say which customers and fields an account sees: scopes and masks by their names in the configuration. It holds from the next page on. What is given takes the place of what was there.",
		Example: "touchstone user set lin --scope shanghai --mask no_tax_ids\ntouchstone user set lin --all --unmask",
		RunE: c.onPeople(func(ctx context.Context, p *app.People, n []string) error {
			var change web.PersonChange
			switch {
			case all && len(reach) > 0, unmask && len(masks) > 0:
				return usageError{errors.New("--all goes without --scope, and --unmask without --mask")}
			case !all && !unmask && len(reach)+len(masks) == 0:
				return usageError{errors.New("nothing to set: want --scope, --mask, --all or --unmask")}
			}
			if all || len(reach) > 0 {
				change.Reach = &reach
			}
			if unmask || len(masks) > 0 {
				change.Masks = &masks
			}
			if err := p.ChangePerson(ctx, c.by(), n[0], change); err != nil {
				return err
			}
			person, err := p.Person(ctx, n[0])
			if err != nil {
				return err
			}
			return c.said(n[0], n[0]+" sees "+seesText(person.Reach, person.Masks, person.Unknown))
		}),
	}
	seesFlags(cmd, &reach, &masks)
	cmd.Flags().BoolVar(&all, "all", false, "all customers")
	cmd.Flags().BoolVar(&unmask, "unmask", false, "all fields")
	return cmd
}

// seesText says what an account or a token sees.
func seesText(reach, masks, unknown []string) string {
	text := "everything"
	if len(reach) > 0 {
		text = "customers of " + strings.Join(reach, ", ")
	} else if len(masks) > 0 {
		text = "all customers"
	}
	if len(masks) > 0 {
		text += " less " + strings.Join(masks, ", ")
	}
	if len(unknown) > 0 {
		text = "no customer: the configuration does not have " + strings.Join(unknown, ", ")
	}
	return text
}
