// Command pictures takes two pictures of every page of a running demo, wide and
// light, and dark on a phone in Chinese, into a folder: pictures ADDRESS BROWSER
// FOLDER.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/chromedp/chromedp"
)

// page is one picture: where it is, or on which page the first link like this
// leads there, and as whom it is looked at.
type page struct{ name, path, link, role string }

func pages() []page {
	return []page{
		{"overview", "/", "", "steward"},
		{"review", "/review", "", "steward"},
		{"review-list", "/review/list", "", "steward"},
		{"cluster", "/review", `a[href^="/review/cluster/"]`, "steward"},
		{"bulk", "/bulk?entity=company", "", "steward"},
		{"customers", "/customers?several=1", "", "steward"},
		{"customer", "/customers?several=1", `tbody a[href^="/customers/"]`, "steward"},
		{"split", "/customers?several=1", `tbody a[href^="/customers/"] -> a[href$="/split"]`, "steward"},
		{"people", "/customers?several=1&entity=company", `tbody a[href^="/customers/"] -> a[href$="/people"]`, "steward"},
		{"group", "/customers?several=1&entity=company", `tbody a[href^="/customers/"] -> a[href$="/group"]`, "steward"},
		{"quarantine", "/quarantine", "", "steward"},
		{"quarantined", "/quarantine", `a[href^="/quarantine/q"]`, "steward"},
		{"conflicts", "/conflicts", "", "steward"},
		{"bridges", "/bridges", "", "steward"},
		{"proposals", "/proposals", "", "steward"},
		{"shared", "/shared", "", "steward"},
		{"decisions", "/decisions", "", "steward"},
		{"plans", "/plans", "", "admin"},
		{"plan", "/plans", `a[href^="/plans/"]`, "admin"},
		{"models", "/models", "", "admin"},
		{"model", "/models", `a[href^="/models/company/"]:not([href*="thresholds"])`, "admin"},
		{"thresholds", "/models/company/thresholds?link=0.98&review=0.7", "", "admin"},
		{"values", "/values?entity=company&field=industry", "", "admin"},
		{"handovers", "/handovers?entity=company&from=Grace+Okafor&to=Sophie+Lindqvist", "", "admin"},
		{"runs", "/runs", "", "admin"},
		{"source", "/", `a[href^="/sources/"]`, "admin"},
		{"target", "/", `a[href^="/targets/"]`, "admin"},
		{"lookup", "/lookup?name=%E6%B7%B1%E5%9C%B3%E9%91%AB%E4%B8%AD%E6%B1%BD%E8%BD%A6", "", "steward"},
		{"quality", "/quality", "", "admin"},
		{"accounts", "/accounts", "", "admin"},
		{"audit", "/audit", "", "auditor"},
		{"levels", "/levels", "", "auditor"},
	}
}

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: pictures ADDRESS BROWSER FOLDER")
		os.Exit(2)
	}
	if err := take(strings.TrimSuffix(os.Args[1], "/"), os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(3)
	}
}

func take(address, browser, folder string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(browser), chromedp.NoSandbox, chromedp.DisableGPU)
	ctx, stop := chromedp.NewExecAllocator(ctx, options...)
	defer stop()
	ctx, closeTab := chromedp.NewContext(ctx)
	defer closeTab()
	role := "steward"
	for _, p := range pages() {
		if p.role != role {
			as := fmt.Sprintf(`button[name="role"][value=%q]`, p.role)
			if err := chromedp.Do(ctx, chromedp.Navigate(address+"/"), chromedp.Click(chromedp.CSS(as)), chromedp.Sleep(time.Second)); err != nil {
				return fmt.Errorf("look around as %s: %w", p.role, err)
			}
			role = p.role
		}
		if p.name == "levels" { // nothing is measured before a minute is over
			if err := chromedp.Do(ctx, chromedp.Sleep(time.Minute)); err != nil {
				return fmt.Errorf("%s: %w", p.name, err)
			}
		}
		at, err := find(ctx, address, p)
		if err != nil {
			return err
		}
		if at == "" {
			fmt.Fprintf(os.Stderr, "%s: the demo has none\n", p.name)
			continue
		}
		for _, kind := range []struct {
			name, query string
			wide, high  int64
		}{{"", "lang=en&theme=light", 1280, 1000}, {"-phone", "lang=zh-Hans&theme=dark", 390, 844}} {
			join := "?"
			if strings.Contains(at, "?") {
				join = "&"
			}
			err := chromedp.Do(ctx, chromedp.EmulateViewport(kind.wide, kind.high), chromedp.Navigate(at+join+kind.query), chromedp.Sleep(200*time.Millisecond))
			if err != nil {
				return fmt.Errorf("%s: %w", p.name, err)
			}
			image, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
			if err != nil {
				return fmt.Errorf("%s: %w", p.name, err)
			}
			if err := os.WriteFile(filepath.Join(folder, p.name+kind.name+".png"), image, 0o644); err != nil { //nolint:gosec // a picture for everybody
				return err
			}
		}
		fmt.Println(p.name)
	}
	return nil
}

// find follows the links to a page; "" where there is none.
func find(ctx context.Context, address string, p page) (string, error) {
	at := address + p.path
	if p.link == "" {
		return at, nil
	}
	for _, link := range strings.Split(p.link, " -> ") {
		err := chromedp.Do(ctx, chromedp.EmulateViewport(1280, 1000), chromedp.Navigate(at))
		if err != nil {
			return "", fmt.Errorf("%s: %w", p.name, err)
		}
		to, err := chromedp.Run(ctx, chromedp.Evaluate[string](fmt.Sprintf("document.querySelector(%q)?.href ?? ''", link)))
		if err != nil {
			return "", fmt.Errorf("%s: %w", p.name, err)
		}
		if to == "" {
			return "", nil
		}
		at = to
	}
	return at, nil
}
