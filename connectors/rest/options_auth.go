package rest

import (
	"net/url"

	"touchstone/config"
)

// Auth is how requests prove who they are.
type Auth struct {
	Type     string        `yaml:"type" default:"none" oneof:"none bearer basic header query oauth2 login" doc:"none, bearer (token), basic (username, password), header (header, token), query (query, token), oauth2 (token_url …) or login (login)"`
	Token    config.Secret `yaml:"token" doc:"the token of bearer, header and query"`
	Header   string        `yaml:"header" doc:"the header that carries the token, for type header" example:"X-Api-Key"`
	Query    string        `yaml:"query" doc:"the query parameter that carries the token, for type query; it is shown nowhere" example:"api_token"`
	Username string        `yaml:"username" doc:"of basic; login.body may use it as {{ username }}"`
	Password config.Secret `yaml:"password" doc:"of basic; login.body may use it as {{ password }}"`

	TokenURL     string        `yaml:"token_url" format:"url" doc:"oauth2: where tokens are given" example:"https://api.example.com/oauth/token"`
	Grant        string        `yaml:"grant" default:"client_credentials" oneof:"client_credentials refresh_token" doc:"oauth2: the grant. A refresh token that is replaced at use is kept in the store before the new access token is used"`
	ClientID     string        `yaml:"client_id" doc:"oauth2: the client's id"`
	ClientSecret config.Secret `yaml:"client_secret" doc:"oauth2: the client's secret"`
	RefreshToken config.Secret `yaml:"refresh_token" doc:"oauth2: the first refresh token; another one here replaces the one that is kept"`
	Scopes       []string      `yaml:"scopes" doc:"oauth2: the scopes asked for"`
	ClientAuth   string        `yaml:"client_auth" default:"body" oneof:"body basic" doc:"oauth2: where id and secret stand"`

	Login   Login           `yaml:"login" doc:"login: a request whose answer holds the token"`
	Secrets []NamedSecret   `yaml:"secrets" doc:"login: further secrets, for login.body as {{ secret.NAME }}" example:"{app: \"${env:APP_SECRET}\"}"`
	Life    config.Duration `yaml:"life" default:"1h" min:"1s" doc:"login, oauth2: how long a token is good where the answer does not say"`
}

// NamedSecret is a secret under a name.
type NamedSecret struct {
	Name  string        `yaml:",key"`
	Value config.Secret `yaml:",value"`
}

// Login is a request whose answer holds a token.
type Login struct {
	At      config.Node
	Path    string      `yaml:"path" doc:"below base_url" example:"/login"`
	Body    config.Tree `yaml:"body" doc:"the JSON body; texts may hold {{ username }}, {{ password }} and {{ secret.NAME }}"`
	Token   config.Expr `yaml:"token" doc:"where the answer holds the token, over body and header" example:"body.access_token"`
	Expires config.Expr `yaml:"expires_in" doc:"where it says for how many seconds the token is good" example:"body.expires_in"`
	Header  string      `yaml:"header" doc:"the header that carries the token" example:"Authorization"`
	Prefix  string      `yaml:"prefix" doc:"what stands before the token in the header" example:"Bearer "`
	Member  string      `yaml:"member" doc:"the member of every request's body that carries the token, dotted" example:"accessToken"`
	Also    []NamedExpr `yaml:"also" doc:"further members of every request's body, over the answer's body and header" example:"{corpId: body.corpId}"`
}

// NamedExpr is an expression under a name.
type NamedExpr struct {
	Name  string      `yaml:",key"`
	Value config.Expr `yaml:",value"`
}

// check reports what an authentication lacks.
func (a Auth) check(at config.Node) (problems []config.Problem) {
	need := func(ok bool, key, text string) {
		if !ok {
			problems = append(problems, at.Key(key).Problem("auth of type %s needs %s: %s", a.Type, key, text))
		}
	}
	const reference = "${env:NAME} or ${file:PATH}"
	switch a.Type {
	case "bearer":
		need(!a.Token.IsZero(), "token", reference)
	case "header":
		need(!a.Token.IsZero(), "token", reference)
		need(a.Header != "", "header", "the name of the header")
	case "query":
		need(!a.Token.IsZero(), "token", reference)
		need(a.Query != "", "query", "the name of the query parameter")
	case "basic":
		need(a.Username != "", "username", "the account's name")
	case "oauth2":
		u, err := url.Parse(a.TokenURL)
		need(a.TokenURL != "" && err == nil && u.User == nil, "token_url", "the address that gives tokens, without credentials in it")
		need(a.ClientID != "", "client_id", "the client's id")
		need(a.Grant != "refresh_token" || !a.RefreshToken.IsZero(), "refresh_token", reference)
		need(a.Grant == "refresh_token" || !a.ClientSecret.IsZero(), "client_secret", reference)
	case "login":
		l := a.Login
		need(l.Path != "", "login", "path: the request that gives a token")
		if l.Path != "" {
			need(!l.Token.IsZero(), "login", "token: where the answer holds it, like body.token")
			need(l.Header != "" || l.Member != "", "login", "header or member: where requests carry the token")
		}
		_, more := compileLogin(a)
		problems = append(problems, more...)
	}
	return problems
}
