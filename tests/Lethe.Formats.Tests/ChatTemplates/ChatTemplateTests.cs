using System.Text.Json;
using Lethe.Formats.ChatTemplates;
using Lethe.Formats.Tests.Tokenizers;

namespace Lethe.Formats.Tests.ChatTemplates;

public sealed class ChatTemplateTests
{
    private static readonly Dictionary<string, string> Special = new() { ["bos_token"] = "<s>", ["eos_token"] = "</s>" };

    private static readonly ChatMessage[] Talk = [new("system", "Be terse."), new("user", " Hi "), new("assistant", "Hello!"), new("user", "Bye")];

    private static string Render(string template, ChatMessage[]? messages = null, bool prompt = true, TimeProvider? clock = null) =>
        ChatTemplate.Parse(template, "test").Render(messages ?? Talk, prompt, Special, clock);

    [SharedFact]
    public void SmolLM2s_talks_are_written_as_transformers_writes_them_and_have_its_ids()
    {
        var golden = JsonDocument.Parse(File.ReadAllBytes(SharedData.Path("fixtures", "scores", "smollm2_chat.json"))).RootElement;
        var template = ChatTemplate.Parse(golden.GetProperty("template").GetString()!, "golden");
        var rows = golden.GetProperty("rows").EnumerateArray().ToArray();
        Assert.NotEmpty(rows);
        foreach (var row in rows)
        {
            var messages = row.GetProperty("messages").EnumerateArray().Select(message => new ChatMessage(message.GetProperty("role").GetString()!, message.GetProperty("content").GetString()!)).ToArray();
            var text = template.Render(messages, row.GetProperty("add_generation_prompt").GetBoolean(), Special);
            Assert.Equal(row.GetProperty("text").GetString(), text);
            Assert.Equal(TokenizerGoldenTests.Ids(row, "ids"), GgufTokenizerTests.Shared.Encode(text));
        }
    }

    // The published templates, shortened by nothing but tool calls; the expected texts follow from the documented formats of the models.
    [Fact]
    public void ChatML() => Assert.Equal("<|im_start|>system\nBe terse.<|im_end|>\n<|im_start|>user\n Hi <|im_end|>\n<|im_start|>assistant\nHello!<|im_end|>\n<|im_start|>user\nBye<|im_end|>\n<|im_start|>assistant\n",
        Render("""
            {% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}
            """));

    [Fact]
    public void Llama2() => Assert.Equal("<s>[INST] <<SYS>>\nBe terse.\n<</SYS>>\n\n Hi  [/INST] Hello! </s><s>[INST] Bye [/INST]",
        Render("""
            {% if messages[0]['role'] == 'system' %}{% set loop_messages = messages[1:] %}{% set system_message = messages[0]['content'] %}{% else %}{% set loop_messages = messages %}{% set system_message = false %}{% endif %}{% for message in loop_messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}{% if loop.index0 == 0 and system_message != false %}{% set content = '<<SYS>>\n' + system_message + '\n<</SYS>>\n\n' + message['content'] %}{% else %}{% set content = message['content'] %}{% endif %}{% if message['role'] == 'user' %}{{ bos_token + '[INST] ' + content + ' [/INST]' }}{% elif message['role'] == 'assistant' %}{{ ' ' + content.strip() + ' ' + eos_token }}{% endif %}{% endfor %}
            """));

    [Fact]
    public void Llama3() => Assert.Equal("<s><|start_header_id|>system<|end_header_id|>\n\nBe terse.<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\nHello!<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nBye<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
        Render("""
            {% set loop_messages = messages %}{% for message in loop_messages %}{% set content = '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n'+ message['content'] | trim + '<|eot_id|>' %}{% if loop.index0 == 0 %}{% set content = bos_token + content %}{% endif %}{{ content }}{% endfor %}{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}
            """));

    private const string Llama32 = """
        {{- bos_token }}
        {%- if custom_tools is defined %}
            {%- set tools = custom_tools %}
        {%- endif %}
        {%- if not tools_in_user_message is defined %}
            {%- set tools_in_user_message = true %}
        {%- endif %}
        {%- if not date_string is defined %}
            {%- if strftime_now is defined %}
                {%- set date_string = strftime_now("%d %b %Y") %}
            {%- else %}
                {%- set date_string = "26 Jul 2024" %}
            {%- endif %}
        {%- endif %}
        {%- if not tools is defined %}
            {%- set tools = none %}
        {%- endif %}

        {#- This block extracts the system message, so we can slot it into the right place. #}
        {%- if messages[0]['role'] == 'system' %}
            {%- set system_message = messages[0]['content']|trim %}
            {%- set messages = messages[1:] %}
        {%- else %}
            {%- set system_message = "" %}
        {%- endif %}

        {#- System message #}
        {{- "<|start_header_id|>system<|end_header_id|>\n\n" }}
        {%- if tools is not none %}
            {{- "Environment: ipython\n" }}
        {%- endif %}
        {{- "Cutting Knowledge Date: December 2023\n" }}
        {{- "Today Date: " + date_string + "\n\n" }}
        {{- system_message }}
        {{- "<|eot_id|>" }}

        {%- for message in messages %}
            {%- if not (message.role == 'ipython' or message.role == 'tool' or 'tool_calls' in message) %}
                {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n'+ message['content'] | trim + '<|eot_id|>' }}
            {%- elif message.role == "tool" or message.role == "ipython" %}
                {{- "<|start_header_id|>ipython<|end_header_id|>\n\n" }}
                {%- if message.content is mapping or message.content is iterable %}
                    {{- message.content | tojson }}
                {%- else %}
                    {{- message.content }}
                {%- endif %}
                {{- "<|eot_id|>" }}
            {%- endif %}
        {%- endfor %}
        {%- if add_generation_prompt %}
            {{- '<|start_header_id|>assistant<|end_header_id|>\n\n' }}
        {%- endif %}

        """;

    [Fact]
    public void Llama32_dates_its_system_message_by_the_clock_that_it_is_given_and_else_by_its_own()
    {
        string Expected(string date) => $"<s><|start_header_id|>system<|end_header_id|>\n\nCutting Knowledge Date: December 2023\nToday Date: {date}\n\nBe terse.<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n";
        Assert.Equal(Expected("26 Jul 2024"), Render(Llama32, Talk[..2]));
        Assert.Equal(Expected("03 Feb 2026"), Render(Llama32, Talk[..2], clock: new Noon(new DateTimeOffset(2026, 2, 3, 12, 0, 0, TimeSpan.Zero))));
    }

    private sealed class Noon(DateTimeOffset now) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => now;

        public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;
    }

    [Fact]
    public void Gemma2_refuses_a_system_message_in_its_own_words()
    {
        const string gemma = """
            {{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}{% if (message['role'] == 'assistant') %}{% set role = 'model' %}{% else %}{% set role = message['role'] %}{% endif %}{{ '<start_of_turn>' + role + '\n' + message['content'] | trim + '<end_of_turn>\n' }}{% endfor %}{% if add_generation_prompt %}{{'<start_of_turn>model\n'}}{% endif %}
            """;
        Assert.Equal("<s><start_of_turn>user\nHi<end_of_turn>\n<start_of_turn>model\nHello!<end_of_turn>\n<start_of_turn>user\nBye<end_of_turn>\n<start_of_turn>model\n", Render(gemma, Talk[1..]));
        Check.Refused(() => Render(gemma), "test", "line 1", "System role not supported");
    }

    [Fact]
    public void Qwen3_thinks_or_not_by_a_variable()
    {
        const string qwen = """
            {%- if messages[0].role == 'system' %}
                {{- '<|im_start|>system\n' + messages[0].content + '<|im_end|>\n' }}
            {%- endif %}
            {%- set ns = namespace(multi_step_tool=true, last_query_index=messages|length - 1) %}
            {%- for message in messages[::-1] %}
                {%- set index = (messages|length - 1) - loop.index0 %}
                {%- if ns.multi_step_tool and message.role == "user" and message.content is string and not(message.content.startswith('<tool_response>') and message.content.endswith('</tool_response>')) %}
                    {%- set ns.multi_step_tool = false %}
                    {%- set ns.last_query_index = index %}
                {%- endif %}
            {%- endfor %}
            {%- for message in messages %}
                {%- set content = message.content if message.content is string else '' %}
                {%- if (message.role == "user") or (message.role == "system" and not loop.first) %}
                    {{- '<|im_start|>' + message.role + '\n' + content + '<|im_end|>' + '\n' }}
                {%- elif message.role == "assistant" %}
                    {%- set reasoning_content = '' %}
                    {%- if message.reasoning_content is string %}
                        {%- set reasoning_content = message.reasoning_content %}
                    {%- elif '</think>' in content %}
                        {%- set reasoning_content = content.split('</think>')[0].rstrip('\n').split('<think>')[-1].lstrip('\n') %}
                        {%- set content = content.split('</think>')[-1].lstrip('\n') %}
                    {%- endif %}
                    {%- if loop.index0 > ns.last_query_index %}
                        {%- if loop.last or (not loop.last and reasoning_content) %}
                            {{- '<|im_start|>' + message.role + '\n<think>\n' + reasoning_content.strip('\n') + '\n</think>\n\n' + content.lstrip('\n') }}
                        {%- else %}
                            {{- '<|im_start|>' + message.role + '\n' + content }}
                        {%- endif %}
                    {%- else %}
                        {{- '<|im_start|>' + message.role + '\n' + content }}
                    {%- endif %}
                    {{- '<|im_end|>\n' }}
                {%- endif %}
            {%- endfor %}
            {%- if add_generation_prompt %}
                {{- '<|im_start|>assistant\n' }}
                {%- if enable_thinking is defined and enable_thinking is false %}
                    {{- '<think>\n\n</think>\n\n' }}
                {%- endif %}
            {%- endif %}
            """;
        ChatMessage[] talk = [new("user", "Hi"), new("assistant", "<think>\nhm\n</think>\n\nHello!"), new("user", "Bye")];
        const string expected = "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nHello!<|im_end|>\n<|im_start|>user\nBye<|im_end|>\n<|im_start|>assistant\n";
        Assert.Equal(expected, Render(qwen, talk));
        Assert.Equal(expected + "<think>\n\n</think>\n\n", ChatTemplate.Parse(qwen, "test").Render(talk, true, Special, variables: new Dictionary<string, object?> { ["enable_thinking"] = false }));
        Assert.EndsWith("<|im_start|>assistant\n<think>\nhm\n</think>\n\nHello!<|im_end|>\n", Render(qwen, talk[..2], prompt: false), StringComparison.Ordinal);
    }

    [Fact]
    public void Phi3_and_mistral()
    {
        Assert.Equal("<s><|user|>\nBye<|end|>\n<|assistant|>\n", Render("""
            {{ bos_token }}{% for message in messages %}{% if message['role'] == 'system' %}{{'<|system|>\n' + message['content'] + '<|end|>\n'}}{% elif message['role'] == 'user' %}{{'<|user|>\n' + message['content'] + '<|end|>\n'}}{% elif message['role'] == 'assistant' %}{{'<|assistant|>\n' + message['content'] + '<|end|>\n'}}{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>\n' }}{% else %}{{ eos_token }}{% endif %}
            """, Talk[3..]));
        Assert.Equal("<s> [INST]  Hi  [/INST] Hello!</s> [INST] Be terse.\n\nBye [/INST]", Render("""
            {%- if messages[0]["role"] == "system" %}
                {%- set system_message = messages[0]["content"] %}
                {%- set loop_messages = messages[1:] %}
            {%- else %}
                {%- set loop_messages = messages %}
            {%- endif %}
            {%- set user_messages = loop_messages | selectattr("role", "equalto", "user") | list %}
            {%- set ns = namespace() %}
            {%- set ns.index = 0 %}
            {%- for message in loop_messages %}
                {%- if not (message.role == "tool" or message.role == "tool_results" or (message.tool_calls is defined and message.tool_calls is not none)) %}
                    {%- if (message["role"] == "user") != (ns.index % 2 == 0) %}
                        {{- raise_exception("roles must alternate") }}
                    {%- endif %}
                    {%- set ns.index = ns.index + 1 %}
                {%- endif %}
            {%- endfor %}
            {{- bos_token }}
            {%- for message in loop_messages %}
                {%- if message["role"] == "user" %}
                    {%- if loop.last and system_message is defined %}
                        {{- " [INST] " + system_message + "\n\n" + message["content"] + " [/INST]" }}
                    {%- else %}
                        {{- " [INST] " + message["content"] + " [/INST]" }}
                    {%- endif %}
                {%- elif message["role"] == "assistant" %}
                    {{- " " + message["content"] + eos_token }}
                {%- else %}
                    {{- raise_exception("Only user and assistant roles are supported") }}
                {%- endif %}
            {%- endfor %}
            """));
    }

    // Expected values by Python and the documentation of Jinja2.
    [Theory]
    [InlineData("{{ 7 // 2 }} {{ -7 // 2 }} {{ -7 % 3 }} {{ 7 / 2 }} {{ 2 ** 10 }} {{ 1 + 2 * 3 }} {{ (1 + 2) * 3 }} {{ -2 | abs }}", "3 -4 2 3.5 1024 7 9 2")]
    [InlineData("{{ 'a' ~ 1 ~ none ~ true ~ 1.0 ~ missing }}", "a1NoneTrue1.0")]
    [InlineData("{{ [1, 'it''s', none, {'k': 'v'}] }}", "[1, 'its', None, {'k': 'v'}]")]
    [InlineData("{{ \"it's\" | list | length }} {{ 'a𝒳b'[1] }} {{ 'a𝒳b' | length }} {{ 'abcdef'[1:-1:2] }} {{ 'abc'[::-1] }} {{ [1,2,3][-1] }}", "4 𝒳 3 bd cba 3")]
    [InlineData("{{ {'b': [1, 2.5, none, false], 'a': 'é\"\\n'} | tojson }}", "{\"b\": [1, 2.5, null, false], \"a\": \"é\\\"\\n\"}")]
    [InlineData("{{ {'a': [1, {}]} | tojson(indent=2) }}", "{\n  \"a\": [\n    1,\n    {}\n  ]\n}")]
    [InlineData("{% for k, v in {'x': 1, 'y': 2}.items() %}{{ k }}={{ v }}{{ ',' if not loop.last }}{% endfor %}", "x=1,y=2")]
    [InlineData("{% for i in range(5) if i is odd %}{{ loop.index }}:{{ i }} {% else %}none{% endfor %}", "1:1 2:3 ")]
    [InlineData("{% for i in [] %}x{% else %}none{% endfor %}", "none")]
    [InlineData("{% set x = 1 %}{% for i in [1, 2] %}{% set x = i %}{% endfor %}{{ x }}", "1")]
    [InlineData("{% set x %}a{{ 1 }}b{% endset %}{{ x | upper }}", "A1B")]
    [InlineData("{% macro greet(name, mark='!') %}Hi {{ name }}{{ mark }}{% endmacro %}{{ greet('Bo') }}{{ greet('Al', mark='?') }}", "Hi Bo!Hi Al?")]
    [InlineData("{% for i in range(9) %}{% if i == 2 %}{% continue %}{% endif %}{% if i == 4 %}{% break %}{% endif %}{{ i }}{% endfor %}", "013")]
    [InlineData("{{ missing is defined }} {{ none is none }} {{ 'x' is string }} {{ 3 is divisibleby 3 }} {{ not missing }} {{ 1 is not number }}", "False True True True True False")]
    [InlineData("{{ missing | default('d') }} {{ '' | default('d', true) }} {{ none | default('d') }}", "d d None")]
    [InlineData("{{ 'a' in 'cat' }} {{ 'x' not in ['y'] }} {{ 1 < 2 <= 2 }} {{ 1 == 1.0 }} {{ true == 1 }}", "True True True True True")]
    [InlineData("{{ ' a b '.split() }} {{ 'a,b,c'.split(',', 1) }} {{ 'xaxx'.strip('x') }} {{ 'hello world'.title() }} {{ 'aXb'.replace('X', '-') }}", "['a', 'b'] ['a', 'b,c'] a Hello World a-b")]
    [InlineData("{{ messages | map(attribute='role') | join('|') }} {{ messages | selectattr('role', 'equalto', 'user') | list | length }}", "system|user|assistant|user 2")]
    [InlineData("{{ '%s' if false else 'else' }}{{ 'x' if false }}", "else")]
    [InlineData("{{ 'a' 'b' }}{# comment #}{{- ' c ' | trim }}", "abc")]
    [InlineData("{{ {'a': {'b': 1}}['a'].b }}{{ {'a': 1}.get('z', 2) }}", "12")]
    [InlineData("{% if a is defined and a.b %}x{% elif true and not false or missing.x %}y{% endif %}", "y")]
    [InlineData("{% generation %}x{% endgeneration %}", "x")]
    [InlineData("{{ ['a', 'b'] | first }}{{ 'ab' | last }}{{ [1,2] + [3] }}{{ 'ab' * 2 }}{{ '3' | int + 1 }}", "ab[1, 2, 3]abab4")]
    public void Expressions_mean_what_they_mean_in_jinja(string template, string expected) => Assert.Equal(expected, Render(template));

    // trim_blocks and lstrip_blocks, as transformers sets them; the last line feed of a template goes.
    [Theory]
    [InlineData("a\n  {% if true %}\n  b\n  {% endif %}\nc\n", "a\n  b\nc")]
    [InlineData("a\n  {%- if true %}\n  b\n  {%- endif -%}\n  c", "a  b" + "c")]
    [InlineData("a  {% if true %}b{% endif %}\nc", "a  bc")]
    [InlineData("  {%+ if true %}b{% endif +%}\nc", "  b\nc")]
    [InlineData("a\n  {# note #}\nb {{ 1 }}\nc", "a\nb 1\nc")]
    [InlineData("a {#- note -#} b {{- 1 -}}  c", "ab1c")]
    [InlineData("{% if true %}\n   {% if true %}\nx{% endif %}{% endif %}", "x")]
    [InlineData("a\r\n{{ 'b\r\n' }}", "a\nb\n")]
    public void White_space_around_tags_goes_as_transformers_lets_it_go(string template, string expected) => Assert.Equal(expected, Render(template));

    [Theory]
    [InlineData("a\n{% include 'x' %}", "line 2", "the statement 'include'")]
    [InlineData("{{ 1 | frobnicate }}", "line 1", "the filter 'frobnicate'")]
    [InlineData("{{ 1 is frobnicated }}", "line 1", "the test 'frobnicated'")]
    [InlineData("\n\n{{ 'x'.encode() }}", "line 3", "the member 'encode'")]
    [InlineData("{% for x in y recursive %}{% endfor %}", "line 1", "a recursive loop")]
    [InlineData("{% call x() %}{% endcall %}", "line 1", "the statement 'call'")]
    [InlineData("{{ ''.__class__ }}", "line 1", "the member '__class__'")]
    [InlineData("{{ f(*x) }}", "line 1", "an argument with a star")]
    public void What_lies_beyond_the_supported_part_is_named_with_its_line(string template, string line, string construct) =>
        Check.Refused(() => Render(template), "test", line, construct, "beyond the part of Jinja that Lethe supports");

    [Theory]
    [InlineData("{% if true %}x", "endif")]
    [InlineData("{{ 1 + }}", "a value must come")]
    [InlineData("{{ 'x }}", "not closed")]
    [InlineData("{{ (1 }}", "line 1")]
    [InlineData("{{ 1", "not closed")]
    [InlineData("{# x", "comment")]
    [InlineData("{% endfor %}", "endfor")]
    [InlineData("{% break %}", "outside a loop")]
    [InlineData("{{ missing.x }}", "'missing', which is undefined")]
    [InlineData("{{ messages[0].content + 1 }}", "a text and a number")]
    [InlineData("{{ missing() }}", "undefined")]
    [InlineData("{{ 1 // 0 }}", "divided by zero")]
    [InlineData("{{ 9223372036854775807 + 1 }}", "64 bits")]
    [InlineData("{% set a, b = [1] %}", "assigned")]
    [InlineData("{% set x.y = 1 %}", "no namespace")]
    public void Mistakes_are_named(string template, string why) => Check.Refused(() => Render(template), "test", "chat template", why);

    [Theory]
    [InlineData("{% for a in range(99999) %}{% for b in range(99999) %}x{% endfor %}{% endfor %}")]
    [InlineData("{% for a in range(100000000) %}{% endfor %}")]
    [InlineData("{% set ns = namespace(x='ab') %}{% for a in range(99) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}{{ ns.x }}")]
    [InlineData("{{ 'abcdefgh' * 1000000000 }}")]
    [InlineData("{% set ns = namespace(x=[]) %}{% for a in range(9999) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x }}")]
    [InlineData("{% set ns = namespace(x=[1]) %}{% for a in range(60) %}{% set ns.x = ns.x + ns.x %}{% endfor %}{{ ns.x | tojson }}")]
    [InlineData("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}")]
    [InlineData("{% macro m() %}{{ m() }}{{ m() }}{% endmacro %}{{ m() }}")]
    [InlineData("{% for a in range(99999) %}{{ 'x'.replace('x', 'y' * 99999) }}{% endfor %}")]
    [InlineData("{{ 'x' | indent(99999999) }}")]
    public void A_hostile_template_ends_soon_with_an_error(string template)
    {
        var clock = System.Diagnostics.Stopwatch.StartNew();
        Assert.Throws<BadInputException>(() => Render(template));
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(20), $"took {clock.Elapsed}");
    }

    [Theory]
    [InlineData("(", "1", ")")]
    [InlineData("-", "1", "")]
    [InlineData("not ", "1", "")]
    [InlineData("1 + ", "1", "")]
    [InlineData("", "1", " | string")]
    [InlineData("", "messages", "[0]")]
    [InlineData("true and ", "1", "")]
    [InlineData("[", "1", "]")]
    [InlineData("1 if 1 else ", "1", "")]
    public void Deep_expressions_never_overflow_the_stack(string before, string inner, string behind)
    {
        const int times = 60_000;
        var template = "{{ " + string.Concat(Enumerable.Repeat(before, times)) + inner + string.Concat(Enumerable.Repeat(behind, times)) + " }}";
        try
        {
            Assert.NotNull(Render(template));
        }
        catch (BadInputException e)
        {
            Assert.Contains("chat template", e.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Damaged_templates_render_or_are_refused()
    {
        var seeds = new[] { Llama32, "{% macro a(b, c=1) %}{{ b|default('x', true) }}{% endmacro %}{{ a(1)[0:2] ~ {'a': [1, 2.5]}|tojson(indent=2) }}{% for k, v in {'a': 1}.items() %}{{ loop.index }}{% endfor %}" };
        Fuzz.Run([.. seeds.Select(System.Text.Encoding.UTF8.GetBytes)], 3000, bytes => Render(System.Text.Encoding.UTF8.GetString(bytes), Talk[..2]), maxAllocated: 1 << 30);
    }
}
