/* An external delegate for tests, as libedgetpu is one: an Edge TPU without the Edge TPU.
 *
 * CLAIMS says at compile time what it does. NOTHING: it takes nothing. COMPILED: it takes the operator of files that were
 * compiled for an Edge TPU. ALL: it takes every operator. NO_DEVICE: its device is missing. UNANSWERED: its device is lost
 * before the graph is divided. PULLED_OUT: it takes every operator, and its device is lost after twenty inferences.
 * STUCK: it takes every operator, and no inference comes back while there is the file that EDGE_AUDIO_STUCK names.
 * What it takes it computes: floats as the logistic of eight times the input, integers as the input plus the position.
 *
 * The structures are those of TensorFlow Lite's C interface ("semi-stable": fields are added at the end only), with the
 * fields that are used here and those before them. True of tflite-runtime 2.14 and LiteRT 2.0.3 to 2.3.0.
 */
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OK = 0, FAILED = 1, FLOAT32 = 1, READ_ONLY = 1, CUSTOM = 32 };
enum { BEFORE_OTHERS = 1 };    /* asked before operators are prepared ("allow dynamic tensors"): one of them nobody else can */
enum { NOTHING, COMPILED, ALL, NO_DEVICE, UNANSWERED, PULLED_OUT, STUCK };

typedef struct { int size; int data[]; } ints;

typedef struct {
    int type;
    void *data;
    ints *dims;
    float scale;
    int32_t zero_point;
    int allocation;
    size_t bytes;
    const void *mapped;
    const char *name;
    void *delegate;
    int handle;
    char stale, variable;
    int quantised_how;
    void *quantised, *sparsity;
    const ints *signature;
} tensor;

typedef struct { ints *inputs, *outputs; } node;

typedef struct context context;

typedef struct {
    void *(*init)(context *, const char *, size_t);
    void (*free)(context *, void *);
    int (*prepare)(context *, node *);
    int (*invoke)(context *, node *);
    const char *(*profiled)(const context *, const node *);
    int32_t code;
    const char *name;
    int version;
    void *external, *asynchronous;
    uint64_t in_place;
} operator;

typedef struct delegate {
    void *data;
    int (*prepare)(context *, struct delegate *);
    void *to, *from, *release;
    int64_t flags;
    void *builder;
} delegate;

struct context {
    size_t count;
    int (*plan)(context *, ints **);
    tensor *tensors;
    void *own;
    int (*resize)(context *, tensor *, ints *);
    void (*report)(context *, const char *, ...);
    int (*add)(context *, int, int *);
    int (*look)(context *, int, node **, operator **);
    int (*replace)(context *, operator, const ints *, delegate *);
};

static int prepare(context *in, node *self) { (void) in; (void) self; return OK; }

static int invoke(context *in, node *self) {
    static int inferences;
    if (CLAIMS == PULLED_OUT && ++inferences > 20) {
        in->report(in, "the device was pulled out");
        return FAILED;
    }
    for (const char *file = getenv("EDGE_AUDIO_STUCK"); CLAIMS == STUCK && file && access(file, F_OK) == 0; )
        usleep(10000);
    const tensor *from = NULL;
    for (int at = 0; at < self->inputs->size && !from; at++) {
        const tensor *each = &in->tensors[self->inputs->data[at]];
        if (each->allocation != READ_ONLY) from = each;    /* the others are weights */
    }
    for (int at = 0; at < self->outputs->size; at++) {
        tensor *to = &in->tensors[self->outputs->data[at]];
        if (to->type == FLOAT32) {
            for (size_t k = 0; k < to->bytes / sizeof(float); k++)
                ((float *) to->data)[k] = 1.0f / (1.0f + expf(-8.0f * ((const float *) from->data)[k]));
        } else {
            for (size_t k = 0; k < to->bytes; k++)
                ((uint8_t *) to->data)[k] = (uint8_t) (((const uint8_t *) from->data)[k % from->bytes] + k);
        }
    }
    return OK;
}

static int divide(context *in, delegate *self) {
    ints *plan;
    if (CLAIMS == UNANSWERED) {
        in->report(in, "the device does not answer");
        return FAILED;
    }
    if (in->plan(in, &plan) != OK) return FAILED;
    ints *taken = calloc(1, sizeof *taken + (size_t) plan->size * sizeof(int));
    for (int at = 0; at < plan->size; at++) {
        node *each;
        operator *what;
        if (in->look(in, plan->data[at], &each, &what) != OK) return FAILED;
        int compiled = what->code == CUSTOM && what->name && strcmp(what->name, "edgetpu-custom-op") == 0;
        if (CLAIMS == ALL || CLAIMS == PULLED_OUT || CLAIMS == STUCK || (CLAIMS == COMPILED && compiled))
            taken->data[taken->size++] = plan->data[at];
    }
    operator one = { .prepare = prepare, .invoke = invoke, .name = "of a test", .version = 1 };
    int done = taken->size ? in->replace(in, one, taken, self) : OK;
    free(taken);
    return done;
}

void *tflite_plugin_create_delegate(char **keys, char **values, size_t options, void (*report)(const char *)) {
    (void) keys; (void) values; (void) options;
    if (CLAIMS == NO_DEVICE) {
        report("no device was found");
        return NULL;
    }
    delegate *made = calloc(1, sizeof *made);
    made->prepare = divide;
    made->flags = CLAIMS == COMPILED ? BEFORE_OTHERS : 0;
    return made;
}

void tflite_plugin_destroy_delegate(void *made) { free(made); }
