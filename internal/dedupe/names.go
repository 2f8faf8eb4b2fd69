package dedupe

import (
	"strings"
	"unicode"

	"touchstone/matching/standardise"
)

// named lists the words that columns are called by, English and Chinese,
// folded. A column is called by one if its whole name is it; the first that
// fits is taken.
func named() []struct {
	meaning Meaning
	words   string
} {
	return []struct {
		meaning Meaning
		words   string
	}{
		{RowID, "id|row id|record id|rec id|uuid|guid|unique id|customer id|contact id|account id|company id|person id|编号|序号|记录编号|客户编号|主键"},
		{Source, "source|src|system|source system|origin|data source|来源|数据来源|系统|source file|dataset"},
		{Given, "first name|given name|given names|firstname|givenname|forename|fname|first|given|vorname|prenom|名|名字"},
		{Family, "last name|family name|surname|lastname|familyname|lname|sname|last|family|second name|nachname|姓|姓氏"},
		{Full, "full name|fullname|person|person name|contact name|contact|customer|customer name|client name|display name|patient name|employee name|姓名|联系人|客户姓名|全名"},
		{LegalName, "legal name|registered name|official name|法定名称|注册名称"},
		{Alias, "alias|aliases|aka|trading name|dba|former name|other names|别名|曾用名|简称"},
		{OrgName, "name|organisation|organization|org|org name|organisation name|organization name|business|business name|site name|store name|shop name|school name|supplier|supplier name|vendor|vendor name|entity name|applicant|firm|firm name|account name|agency name|provider name|facility name|institution|公司名称|企业名称|单位名称|名称|客户名称|供应商|供应商名称|机构名称|单位"},
		{Employer, "company|company name|employer|works for|workplace|公司|工作单位|雇主"},
		{Birth, "birth date|birthdate|date of birth|dob|birthday|born|born on|geburtsdatum|出生日期|生日|出生年月"},
		{Email, "email|e mail|email address|e mail address|mail|email 1|work email|邮箱|电子邮箱|电子邮件|邮件|电邮"},
		{Phone, "phone|phone number|telephone|telephone number|tel|mobile|mobile phone|mobile number|cell|cell phone|phone 1|contact number|电话|手机|手机号|手机号码|联系电话|电话号码|座机"},
		{Website, "website|web|url|web site|homepage|home page|domain|web address|网址|网站|官网|主页"},
		{House, "house number|street number|house no|street no|number|building number|门牌号|门牌"},
		{Street, "street|address|street address|address 1|address line 1|addr|addr 1|address1|addr1|line 1|road|strasse|地址|街道|详细地址|住址|通讯地址|注册地址"},
		{District, "district|county|borough|区|区县|县"},
		{City, "city|town|suburb|locality|municipality|place|ort|城市|市|所在城市"},
		{Region, "region|state|province|county state|prefecture|bundesland|省|省份|州|所在省"},
		{Postcode, "postcode|post code|zip|zipcode|zip code|postal code|plz|邮编|邮政编码"},
		{Country, "country|country code|nation|land|国家|国家地区|国别"},
		{Number, "registration no|registration number|reg no|company number|company no|tax id|tax number|vat|vat number|vat id|ein|duns|duns number|lei|ssn|soc sec id|social security number|national id|passport|passport number|id number|id card|license number|licence number|uscc|credit code|统一社会信用代码|社会信用代码|信用代码|注册号|税号|身份证|身份证号|身份证号码|纳税人识别号"},
		{Date, "date|created|created at|updated|updated at|modified|日期|创建时间|更新时间"},
	}
}

// byName says what a column's name says it holds, and the word.
func byName(name string) (Meaning, string) {
	folded := standardise.Fold(words(name))
	squashed := strings.ReplaceAll(folded, " ", "")
	for _, n := range named() {
		for w := range strings.SplitSeq(n.words, "|") {
			if folded == w || squashed == strings.ReplaceAll(w, " ", "") {
				return n.meaning, w
			}
		}
	}
	return "", ""
}

// words parts a name like customerName or last_name into words.
func words(s string) string {
	var b strings.Builder
	low := false
	for _, r := range s {
		if low && unicode.IsUpper(r) {
			b.WriteByte(' ')
		}
		low = unicode.IsLower(r)
		b.WriteRune(r)
	}
	return b.String()
}
