/* Loads a plugin as Falco does, and asks it whose a system call is: framework PLUGIN CONFIG, and on its input lines
 * "TID FIELD [KEY]". It answers each with the value, or "-". Sysdig from Debian captures no system calls itself. */

#include <dlfcn.h>
#include <plugin/plugin_api.h>
#include <stdio.h>
#include <string.h>

static void *find(void *library, const char *name)
{
    void *found = dlsym(library, name);
    if (found == NULL)
        fprintf(stderr, "%s\n", dlerror());
    return found;
}

/* The position of a field in the list that the plugin gives: each begins with its name. */
static uint32_t id_of(const char *fields, const char *name)
{
    char wanted[128];
    uint32_t id = 0;
    snprintf(wanted, sizeof wanted, "{\"name\":\"%s\"", name);
    const char *at = strstr(fields, wanted);
    for (const char *one = fields; at != NULL && (one = strstr(one, "{\"name\":")) != NULL && one < at; one++)
        id++;
    return at != NULL ? id : UINT32_MAX;
}

int main(int argc, char **argv)
{
    void *library = argc == 3 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;
    if (library == NULL)
        return fprintf(stderr, "usage: framework PLUGIN CONFIG: %s\n", argc == 3 ? dlerror() : ""), 2;
    ss_plugin_t *(*init)(const ss_plugin_init_input *, ss_plugin_rc *) = find(library, "plugin_init");
    void (*destroy)(ss_plugin_t *) = find(library, "plugin_destroy");
    const char *(*get_fields)(void) = find(library, "plugin_get_fields");
    const char *(*last_error)(ss_plugin_t *) = find(library, "plugin_get_last_error");
    ss_plugin_rc (*extract)(ss_plugin_t *, const ss_plugin_event_input *, const ss_plugin_field_extract_input *) =
        find(library, "plugin_extract_fields");
    const ss_plugin_init_input input = {.config = argv[2]};
    ss_plugin_rc rc = SS_PLUGIN_FAILURE;
    ss_plugin_t *plugin = init(&input, &rc);
    if (rc != SS_PLUGIN_SUCCESS)
        return fprintf(stderr, "%s\n", last_error(plugin)), destroy(plugin), 1;

    char line[256];
    while (fgets(line, sizeof line, stdin) != NULL) {
        char name[64], key[64] = "";
        unsigned long long tid;
        if (sscanf(line, "%llu %63s %63s", &tid, name, key) < 2)
            return 2;
        /* As an execve that ends, with no parameter. */
        const ss_plugin_event event = {.ts = 1, .tid = tid, .len = sizeof event, .type = 293};
        const ss_plugin_event_input where = {.evt = &event, .evtnum = 1, .evtsrc = "syscall"};
        ss_plugin_extract_field field = {.field_id = id_of(get_fields(), name), .field = name, .arg_key = key, .arg_present = key[0] != 0,
                                         .ftype = FTYPE_STRING};
        const ss_plugin_field_extract_input what = {.num_fields = 1, .fields = &field};
        if (extract(plugin, &where, &what) != SS_PLUGIN_SUCCESS)
            return 1;
        puts(field.res_len == 1 ? field.res.str[0] : "-");
        fflush(stdout);
    }
    destroy(plugin);
    return 0;
}
