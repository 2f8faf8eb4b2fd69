package standardise

import (
	"strings"
	"sync"
	"unicode/utf8"
)

// formLines are the legal forms of the world: a class, then the ways in which it
// is written after the name. Forms of one class are the same form. Written from
// the forms that ISO 20275 (the Entity Legal Forms code list) knows and the
// company laws name; every entry is folded before use.
const formLines = `inc: inc; incorporated
llc: llc; limited liability company; limited liability co; lc
pllc: pllc; professional limited liability company
corp: corp; corporation; corpn
pc: professional corporation; prof corp
ltd: ltd; limited; co ltd; company limited; co limited; cyf; cyfyngedig; teoranta; ltée; limitée; compagnie limitée
clg: clg; company limited by guarantee; limited by guarantee
dac: dac; designated activity company
cic: cic; community interest company
co: co; company; cie; compagnie; cia
lp: lp; limited partnership
lllp: lllp
llp: llp; limited liability partnership
plc: plc; public limited company
ulc: ulc; unlimited liability company; unlimited company
pcl: pcl; public company limited; public co ltd
jsc: jsc; joint stock company; joint stock co; joint stock co ltd; company limited by shares; ojsc; cjsc; pjsc; open joint stock company; closed joint stock company; public joint stock company
gmbh: gmbh; mbh; gbmh; gmhb; gmbh i g; gesmbh; ges mbh; ges m b h; gesellschaft mbh; gesellschaft m b h; gesellschaft mit beschränkter haftung
ggmbh: ggmbh; gemeinnützige gmbh; gemeinnützige gesellschaft mit beschränkter haftung
gmbhcokg: gmbh & co kg; gbmh & co kg; gmbh u co kg; gbmh u co kg; gmbh & compagnie kg; gmbh und co kg; gmbh cie kg; gmbh & co kommanditgesellschaft
gmbhcokgaa: gmbh & co kgaa; gmbh co kgaa
gmbhcoohg: gmbh & co ohg
agcokg: ag & co kg; ag und co kg
agcokgaa: ag & co kgaa
secokg: se & co kg
secokgaa: se & co kgaa
ugcokg: ug & co kg; ug haftungsbeschränkt & co kg
ag: ag; aktiengesellschaft
kgaa: kgaa; kommanditgesellschaft auf aktien
kg: kg; kommanditgesellschaft; co kg
ohg: ohg; offene handelsgesellschaft; co ohg
og: offene gesellschaft
gbr: gbr; gesellschaft bürgerlichen rechts
partg: partg; partgmbb; partg mbb; part mbb; partnerschaftsgesellschaft; partnerschaft mbb; partnerschaftsgesellschaft mbb
ug: ug; ug haftungsbeschränkt; unternehmergesellschaft; unternehmergesellschaft haftungsbeschränkt
ek: ek; ekfm; ekfr; eingetragener kaufmann; eingetragene kauffrau
ev: ev; eingetragener verein
eg: eg; eingetragene genossenschaft
sarl: sarl; société à responsabilité limitée; sàrl; sagl; società a garanzia limitata
eurl: eurl; entreprise unipersonnelle à responsabilité limitée
sas: sas; sasu; société par actions simplifiée; société par actions simplifiée unipersonnelle; sociedad por acciones simplificada
sa: sa; société anonyme; sociedad anónima; sociedade anónima; sau; sociedad anónima unipersonal
sca: sca; société en commandite par actions
scs: scs; société en commandite simple
sci: sci; société civile immobilière
scop: scop; société coopérative; société coopérative de production
selarl: selarl
snc: snc; société en nom collectif; società in nome collettivo; senc
gie: gie; groupement d intérêt économique
spa: spa; società azioni; società per azioni; sociedad por acciones
sapa: sapa
srl: srl; società a responsabilità limitata; sociedad de responsabilidad limitada; societate cu răspundere limitată; s de rl
srls: srls; società a responsabilità limitata semplificata
coop: scarl; scrl; soc coop; società cooperativa; sociedad cooperativa; s coop; cooperativa
sl: sl; slu; sll; sociedad limitada; sociedad limitada unipersonal; sociedad limitada laboral
sadecv: sa de cv; sab de cv; sapi de cv; sociedad anónima de capital variable; sociedad anónima bursátil de capital variable
srldecv: s de rl de cv; srl de cv; sociedad de responsabilidad limitada de capital variable
ltda: ltda; limitada; cia ltda; lda; unipessoal lda; sociedade limitada; sociedade unipessoal lda; sociedade por quotas
eireli: eireli; eirl; empresa individual de responsabilidad limitada
sac: sac; sociedad anónima cerrada
bv: bv; besloten vennootschap; besloten vennootschap met beperkte aansprakelijkheid; bvba; srl bv; bv srl
nv: nv; naamloze vennootschap; nv sa; sa nv
vof: vof; vennootschap onder firma
cvba: cvba; coöperatieve vennootschap
ab: ab; aktiebolag; ab publ; aktiebolaget
hb: handelsbolag
kb: kommanditbolag
ekfor: ek för; ekonomisk förening
oy: oy; osakeyhtiö; oy ab
oyj: oyj; abp; julkinen osakeyhtiö
ky: kommandiittiyhtiö
as: as; asa; aksjeselskap; aktieselskab; allmennaksjeselskap; aktsiaselts; akciju sabiedrība; akciová společnost; akciová spoločnosť; anonim şirketi
aps: aps; anpartsselskab; ivs; iværksætterselskab
ans: ansvarlig selskap
amba: amba; andelsselskab
ehf: ehf; einkahlutafélag
hf: hf; hlutafélag
ou: oü; osaühing
sia: sia; sabiedrība ar ierobežotu atbildību
uab: uab; uždaroji akcinė bendrovė
spzoo: sp z oo; sp zo o; spółka z oo; spółka z ograniczoną odpowiedzialnością
spzoospk: sp z oo sp k; sp z oo spk; spółka z ograniczoną odpowiedzialnością spółka komandytowa
spk: sp k; spółka komandytowa
spj: sp j; spółka jawna
spolakc: spółka akcyjna
sro: sro; spol sro; společnost s ručením omezeným; spoločnosť s ručením obmedzeným
vos: vos; veřejná obchodní společnost
kft: kft; korlátolt felelősségű társaság
zrt: zrt; zártkörűen működő részvénytársaság
nyrt: nyrt; nyilvánosan működő részvénytársaság
kkt: kkt; közkereseti társaság
bt: betéti társaság
doo: doo; društvo s ograničenom odgovornošću; družba z omejeno odgovornostjo; дoo; доо; дооел; dooel; друштво са ограниченом одговорношћу
jdoo: jdoo; jednostavno društvo s ograničenom odgovornošću
dd: dioničko društvo; delniška družba
ood: ood; оод; дружество с ограничена отговорност
eood: eood; еоод
ead: ead; еад
ooo: ooo; ооо; общество с ограниченной ответственностью; тов; товариство з обмеженою відповідальністю; тоо
oao: оао; oao; zao; pao; пао; ао; зао; нао; прат; пат; открытое акционерное общество; публичное акционерное общество; закрытое акционерное общество; акционерное общество
ip: индивидуальный предприниматель; ип
epe: επε; εταιρεία περιορισμένης ευθύνης
ike: ικε; ιδιωτική κεφαλαιουχική εταιρεία
ae: αε; ανώνυμη εταιρεία
ltdsti: ltd şti; limited şirketi; ltd sirketi
pty: pty; pty ltd; pty limited; proprietary limited; proprietary ltd
pte: pte; pte ltd; pte limited
sdnbhd: sdn bhd; sendirian berhad
bhd: bhd; berhad
pvt: pvt ltd; pvt limited; private limited; private ltd; p ltd
pt: tbk; perseroan terbatas; persero
kk: kk; kabushiki kaisha; kabushiki gaisha; kabushikikaisha
gk: godo kaisha; godo gaisha; goudou gaisha
yk: yugen kaisha; yugen gaisha
jusik: 주식회사; 주; jusik hoesa; chusik hoesa
yuhan: 유한회사; yuhan hoesa
tnhh: tnhh; công ty tnhh; công ty trách nhiệm hữu hạn
ctcp: ctcp; công ty cổ phần
fze: fze; fz llc; fzco; fz co; fzc
wll: wll
saoc: saoc; saog
ksc: ksc; kscc; kscp
sal: sal
baam: בע מ
ذمم: ذ م م; شركة ذات مسؤولية محدودة
se: se; societas europaea`

// headForms are written before the name.
const headForms = `ooo: ооо; ooo; тов; тоо; общество с ограниченной ответственностью; товариство з обмеженою відповідальністю
jsc: jsc; ojsc; cjsc; pjsc; joint stock company; open joint stock company; public joint stock company
oao: оао; oao; zao; pao; пао; ао; зао; нао; прат; открытое акционерное общество; публичное акционерное общество; закрытое акционерное общество; акционерное общество
ip: ип; индивидуальный предприниматель
doo: доо
ood: оод
jusik: 주식회사; 주
yuhan: 유한회사
pt: pt; perseroan terbatas
tnhh: công ty tnhh; công ty trách nhiệm hữu hạn; công ty tnhh một thành viên
ctcp: công ty cổ phần
sarl: sarl
eurl: eurl
bv: bv
nv: nv
uab: uab`

// formTable maps a form's folded tokens, joined, to its class. most is how many
// tokens a form with that token on the open side can have: nearly all words are
// no part of any.
type formTable struct {
	class map[string]string
	most  map[string]int
}

// wordForms are the forms as they end a name.
var wordForms = sync.OnceValue(func() *formTable { return readForms(formLines, true) })

// firstForms are the forms as they begin one.
var firstForms = sync.OnceValue(func() *formTable { return readForms(headForms, false) })

func readForms(lines string, atEnd bool) *formTable {
	t := &formTable{class: map[string]string{}, most: map[string]int{}}
	for line := range strings.Lines(lines) {
		class, forms, _ := strings.Cut(strings.TrimSpace(line), ": ")
		for form := range strings.SplitSeq(forms, ";") {
			toks := strings.Fields(Fold(form))
			key := ""
			for _, tok := range toks {
				if tok != "&" {
					key += tok
				}
			}
			t.class[key] = class
			// The same form may come in other pieces ("s p a", "g m bh"): the token at
			// the open side can be any end of it.
			for i := range key {
				edge := key[i:]
				if !atEnd {
					edge = key[:len(key)-i]
				}
				if utf8.ValidString(edge) {
					t.most[edge] = maxFormTokens
				}
			}
		}
	}
	return t
}

// maxFormTokens is how many tokens a legal form may have.
const maxFormTokens = 8
